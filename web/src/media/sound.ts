/** Starts playback with sound where the browser allows it, and keeps two players from speaking at once. */

const speaking = new Set<Sound>();

export class Sound {
  private readonly listeners = new AbortController();
  private muted = false; // by us, not by the user

  /** waiting: told whether the video is muted only until the user clicks. */
  constructor(
    private readonly video: HTMLVideoElement,
    private readonly waiting: (muted: boolean) => void,
  ) {
    const { signal } = this.listeners;
    for (const name of ["playing", "volumechange"]) video.addEventListener(name, () => this.heard(), { signal });
    for (const name of ["pause", "ended", "emptied"]) video.addEventListener(name, () => this.silent(), { signal });
  }

  /** Plays; muted if the browser wants a click first or another player speaks. */
  async play(): Promise<void> {
    if (speaking.size && !speaking.has(this)) this.mute();
    try {
      await this.video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== "NotAllowedError") return; // a newer load took its place
      this.mute();
      await this.video.play().catch(() => undefined);
    }
  }

  /** From a click, so the browser allows it. */
  on(): void {
    this.video.muted = false;
    void this.video.play().catch(() => undefined);
  }

  /** Another video: what was muted for want of a click may speak again once the user plays it. */
  reset(): void {
    if (this.muted) this.video.muted = false;
    this.tell(false);
  }

  dispose(): void {
    this.silent();
    this.listeners.abort();
  }

  private mute(): void {
    this.video.muted = true;
    this.tell(true);
  }

  private tell(muted: boolean): void {
    this.muted = muted;
    this.waiting(muted);
  }

  private heard(): void {
    if (this.video.muted || this.video.paused) {
      this.silent();
      return;
    }
    this.tell(false);
    for (const other of speaking) if (other !== this) other.mute();
    speaking.add(this);
  }

  private silent(): void {
    speaking.delete(this);
  }
}
