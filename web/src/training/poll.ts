/** Looks again and again while it is wanted, never twice at the same time. */
export class Poll {
  private wanted = false;
  private looking: Promise<void> | null = null;
  private again = false;
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** period: milliseconds from the end of one look to the next. `look` does not throw. */
  constructor(
    private readonly look: () => Promise<void>,
    private readonly period: () => number,
  ) {}

  /** Whether anybody sees it. */
  want(wanted: boolean): void {
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    if (wanted) void this.now();
    else clearTimeout(this.timer);
  }

  /** Looks at once; while it is looking already, once more after that. */
  now(): Promise<void> {
    if (this.looking) this.again = true;
    this.looking ??= this.run().finally(() => (this.looking = null));
    return this.looking;
  }

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    do {
      this.again = false;
      await this.look();
    } while (this.again);
    clearTimeout(this.timer);
    if (this.wanted) this.timer = setTimeout(() => void this.now(), this.period());
  }
}
