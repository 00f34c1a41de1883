/** Plays several videos of one length as one: the first leads, the others follow it. */

const DRIFT = 0.06; // seconds that the eye forgives beside each other
const CATCH_UP = 0.5; // seconds beyond which it is sought instead of played faster

/** The part of a video element that is needed. */
export type Playable = Pick<HTMLMediaElement, "currentTime" | "duration" | "paused" | "muted" | "playbackRate"> & {
  play(): Promise<void>;
  pause(): void;
};

export class Together {
  private videos: readonly Playable[] = [];
  /** The one that is heard. */
  private heard = 0;

  set(videos: readonly Playable[]): void {
    this.videos = videos;
    this.listen(Math.min(this.heard, Math.max(0, videos.length - 1)));
  }

  get leader(): Playable | undefined {
    return this.videos[0];
  }

  /** Of the shortest, in seconds; 0 while it is not known. */
  get length(): number {
    const all = this.videos.map(({ duration }) => duration);
    return all.length && all.every(Number.isFinite) ? Math.min(...all) : 0;
  }

  async play(): Promise<void> {
    if (this.leader && this.leader.currentTime >= this.length - 0.05) this.seek(0);
    this.follow();
    await Promise.all(this.videos.map((video) => video.play()));
  }

  pause(): void {
    for (const video of this.videos) {
      video.pause();
      video.playbackRate = 1;
    }
    this.seek(this.leader?.currentTime ?? 0);
  }

  seek(time: number): void {
    for (const video of this.videos) video.currentTime = time;
  }

  /** Only one speaks: they say the same. */
  listen(index: number): void {
    this.heard = index;
    this.videos.forEach((video, i) => (video.muted = i !== index));
  }

  /** Brings those back that ran away; to be called a few times a second. */
  follow(): void {
    const { leader } = this;
    if (!leader) return;
    for (const video of this.videos.slice(1)) {
      const behind = leader.currentTime - video.currentTime;
      if (Math.abs(behind) > CATCH_UP) video.currentTime = leader.currentTime;
      const near = Math.abs(behind) < DRIFT || Math.abs(behind) > CATCH_UP;
      video.playbackRate = near ? 1 : behind > 0 ? 1.1 : 0.9;
    }
  }
}
