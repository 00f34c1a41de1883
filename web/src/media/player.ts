import { shallowReactive } from "vue";

import { Away, Refused } from "../http";
import type { Client } from "../runs/client";
import { isOver, type Run } from "../runs/types";
import { Feeder } from "./feeder";
import { CLOSING, mimeOf, playlist, type Part } from "./playlist";
import { Sound } from "./sound";

const OPENING = 4000; // ms that the browser may take to accept a MediaSource
const LATE = 20; // seconds: who joins a run that has made more begins near its live edge
const NEAR = 2; // seconds from the live edge that count as live

/** Once a page has refused blob media (content-security policy), asking again is of no use. */
let blobsRefused = false;

export interface PlayerState {
  /** How the video reaches the element: fragments through MediaSource, or one growing mp4 by its address. */
  mode: "none" | "source" | "direct";
  problem: string;
  /** Muted because the browser wants a click first. */
  wantsClick: boolean;
  live: boolean;
}

/** Plays one run at a time in a video element, while it is made or afterwards. */
export class Player {
  readonly state = shallowReactive<PlayerState>({ mode: "none", problem: "", wantsClick: false, live: true });
  private readonly listeners = new AbortController();
  private readonly sound: Sound;
  private run: Run | undefined;
  private parts: readonly Part[] = [];
  private feeder: Feeder | undefined;
  private opening = 0; // counts attempts, so that an outdated one can tell
  private playing = false; // the user's wish, kept when the element leaves the page and the browser pauses it

  constructor(
    private readonly video: HTMLVideoElement,
    private readonly client: Client,
    private readonly autoplay: () => boolean,
  ) {
    this.sound = new Sound(video, (muted) => (this.state.wantsClick = muted));
    const on = (name: string, act: () => void): void =>
      video.addEventListener(name, act, { signal: this.listeners.signal });
    on("play", () => (this.playing = true));
    on("pause", () => (this.playing &&= !video.isConnected));
    on("timeupdate", () => this.moved());
    on("seeking", () => this.moved());
    on("error", () => this.broke());
  }

  /** Shows a run, or its newest state. */
  show(run: Run | undefined): void {
    const before = this.run;
    const other = run?.snapshot.id !== before?.snapshot.id;
    if (other) this.reset();
    this.run = run;
    this.parts = run ? playlist(run) : [];
    if (!run || !this.parts.length) return;
    const resumed = before && isOver(before.snapshot) && !isOver(run.snapshot);
    if (this.state.mode === "none") void this.start(run);
    else if (resumed) void this.start(run, this.video.currentTime); // it may have dropped chunks that are held here
    else if (this.feeder) this.feeder.update(this.parts, isOver(run.snapshot));
    else if (before && !isOver(before.snapshot) && isOver(run.snapshot)) this.direct(this.video.currentTime);
    this.moved();
  }

  /** To the newest that is made. */
  jump(): void {
    this.video.currentTime = Math.max(0, this.end - 0.5);
    void this.sound.play();
  }

  soundOn(): void {
    this.sound.on();
  }

  /** The element is on the page again. */
  back(): void {
    if (this.playing && this.video.paused && this.video.isConnected) void this.sound.play();
  }

  /** After the server was away. */
  retry(): void {
    if (!this.run || !this.parts.length) return;
    if (this.video.error || this.state.mode === "none") void this.start(this.run, this.video.currentTime);
    else this.feeder?.update();
  }

  dispose(): void {
    this.reset();
    this.listeners.abort();
    this.sound.dispose();
  }

  /** Seconds that are made. */
  private get end(): number {
    return this.parts.at(-1)?.end ?? 0;
  }

  private reset(): void {
    this.opening++;
    this.feeder?.close();
    this.feeder = undefined;
    this.playing = false;
    this.sound.reset();
    if (this.video.src.startsWith("blob:")) URL.revokeObjectURL(this.video.src);
    this.video.removeAttribute("src");
    this.video.load();
    Object.assign(this.state, { mode: "none", problem: "" });
  }

  private async start(run: Run, from?: number): Promise<void> {
    this.reset();
    const turn = this.opening;
    const running = !isOver(run.snapshot);
    const at = from ?? (running && this.end > LATE ? this.end - 3 : 0);
    try {
      if (blobsRefused || !(await this.fragments(run, at, () => turn === this.opening))) this.direct(at);
    } catch (error) {
      if (turn === this.opening) this.failed(error);
      return;
    }
    if (turn === this.opening && running && this.autoplay()) void this.sound.play();
  }

  /** Plays through a MediaSource; false where the browser cannot or the page may not. */
  private async fragments(run: Run, at: number, current: () => boolean): Promise<boolean> {
    const { id } = run.snapshot;
    this.state.mode = "source";
    const init = await this.client.media(id, "init");
    const mime = mimeOf(init);
    if (!current()) return true;
    if (!("MediaSource" in window) || !MediaSource.isTypeSupported(mime)) return false;
    const source = new MediaSource();
    const opened = await this.attach(source);
    if (!current()) return true;
    if (!opened) {
      blobsRefused = true;
      return false;
    }
    const buffer = source.addSourceBuffer(mime);
    const time = (): number => this.video.currentTime;
    const feeder = new Feeder(source, buffer, (path) => this.load(id, path), time, (error) => this.failed(error));
    const known = this.metadata();
    await feeder.begin(init, this.parts);
    await known;
    if (!current()) return true;
    this.feeder = feeder;
    if (at) this.video.currentTime = at;
    feeder.update(this.parts, isOver((this.run ?? run).snapshot));
    return true;
  }

  private metadata(): Promise<unknown> {
    if (this.video.readyState >= this.video.HAVE_METADATA) return Promise.resolve();
    return new Promise((done) => {
      const over = new AbortController();
      for (const name of ["loadedmetadata", "error", "emptied"])
        this.video.addEventListener(name, () => (over.abort(), done(null)), { signal: over.signal });
    });
  }

  private async load(id: string, path: string): Promise<ArrayBuffer> {
    try {
      return await this.client.media(id, path);
    } catch (error) {
      if (path === CLOSING && error instanceof Refused && error.status === 404) return new ArrayBuffer(0);
      throw error;
    }
  }

  private attach(source: MediaSource): Promise<boolean> {
    return new Promise((done) => {
      const over = new AbortController();
      const settle = (opened: boolean): void => {
        over.abort();
        clearTimeout(timer);
        done(opened);
      };
      const timer = setTimeout(() => settle(false), OPENING);
      source.addEventListener("sourceopen", () => settle(true), { signal: over.signal });
      this.video.addEventListener("error", () => settle(false), { signal: over.signal });
      this.video.src = URL.createObjectURL(source);
    });
  }

  /** One address. It can be sought in only when the run is over, so it is loaded anew then; before, it begins at `at`. */
  private direct(at: number): void {
    const running = this.run !== undefined && !isOver(this.run.snapshot);
    const first = running ? Math.max(0, this.parts.findIndex((part) => part.end > at)) : 0;
    this.feeder?.close();
    this.feeder = undefined;
    Object.assign(this.state, { mode: "direct", problem: "" });
    const wanted = this.playing;
    this.video.src = this.client.videoUrl(this.run?.snapshot.id ?? "", first);
    if (at && !running) this.video.currentTime = at;
    if (wanted) void this.sound.play();
  }

  private moved(): void {
    this.state.live = this.end - this.video.currentTime < NEAR;
    this.feeder?.update();
  }

  /** The element gave up. While a MediaSource is being attached, that means it is not allowed: see `attach`. */
  private broke(): void {
    if (this.state.mode === "source" && !this.feeder) return;
    if (this.video.error) this.failed(new Error(this.video.error.message || "the browser cannot play this video"));
  }

  private failed(error: unknown): void {
    if (this.state.mode === "source" && !this.feeder) this.state.mode = "none"; // begin again at the next occasion
    if (error instanceof Away) return; // the panel says so, and `retry` follows when the server is back
    this.state.problem = error instanceof Error ? error.message : String(error);
  }
}
