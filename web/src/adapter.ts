/** The only file that touches ComfyUI's `app` and `api`. Everything else sees the `Host` below. */

import { api } from "/scripts/api.js";
import { app } from "/scripts/app.js";

import { putIdentity, type Done } from "./graph";
import type { Announcement } from "./runs/types";
import type { Uploads } from "./training/client";
import { post } from "./training/post";

const SAVE_NODE = "EchoTorrent_SaveVideo";
const RESUME = ["resume", "run_id"]; // the widget that takes a run id
const REMEMBERED = "echotorrent_run"; // node property: the run that the node showed last
const PLAYER = { width: 300, height: 480, least: 260 };

export interface NodeView {
  id(): string;
  /** Id of the workflow the node is in; empty if the host gives none. */
  workflow(): string;
  remembered(): string;
  remember(run: string): void;
  /** Called when `workflow` and `remembered` may have changed. */
  onLoaded(listen: () => void): void;
  /** Called with the run that a node of this id has made, which the host tells to whatever workflow is open by then. */
  onMade(listen: (run: string) => void): void;
}

export interface Host extends Uploads {
  onAnnouncement(listen: (announcement: Announcement) => void): void;
  onConnection(listen: (connected: boolean) => void): void;
  setting(id: string): unknown;
  toast(severity: "info" | "warn" | "error" | "success", text: string): void;
  /** Puts a run id where a node resumes from: into the selected node, or the only one. Returns what was done. */
  resumeWith(run: string): Done;
  /** Puts a node that loads an identity into the open workflow, behind the selected model or the only one. */
  useIdentity(value: string): Done;
  /** Returns what changes the badge on the tab's button; null takes it away. */
  addSidebarTab(id: string, title: string, tooltip: string, root: HTMLElement): (badge: string | null) => void;
}

export const host: Host = {
  fetch: (path, options) => api.fetchApi(path, options),
  url: (path) => api.apiURL(path),
  upload: (path, form, sending) => post(api.apiURL(path), form, sending),
  onAnnouncement(listen) {
    api.addEventListener("echotorrent.event", (event) => listen((event as CustomEvent<Announcement>).detail));
  },
  onConnection(listen) {
    api.addEventListener("reconnecting", () => listen(false));
    api.addEventListener("reconnected", () => listen(true));
  },
  setting: (id) => app.extensionManager.setting.get(id),
  toast(severity, text) {
    app.extensionManager.toast.add({ severity, summary: "EchoTorrent", detail: text, life: 5000 });
  },
  resumeWith(run) {
    const node = resumable();
    const widget = node && resumeWidget(node);
    if (!node || !widget) return { done: false, text: "Select the Save Video node that should go on with this run." };
    widget.value = run;
    widget.callback?.(run);
    app.graph.setDirtyCanvas?.(true, true);
    return { done: true, text: `Node '${node.title ?? node.id}' goes on with this run when the graph is queued.` };
  },
  useIdentity(value) {
    const graph = app.canvas?.graph ?? app.graph;
    const selected = Object.values(app.canvas?.selected_nodes ?? {});
    const done = putIdentity({ graph, selected, centre: centre() }, (type) => globalThis.LiteGraph?.createNode(type), value);
    if (done.node) app.canvas?.selectNode?.(done.node);
    return done;
  },
  addSidebarTab(id, title, tooltip, root) {
    app.extensionManager.registerSidebarTab({
      id,
      title,
      label: title.replace(/(?<=[a-z])(?=[A-Z])/g, "\u200b"), // the bar is narrow: breaks between words only
      tooltip,
      icon: "pi pi-video",
      type: "custom",
      iconBadge: () => null,
      // The host reuses one container for all custom tabs and never says when it takes ours away.
      render: (container) => container.replaceChildren(root),
    });
    return (badge) => {
      // Our Vue is not the host's: it sees a change of its own object only.
      const tab = app.extensionManager.getSidebarTabs?.().find((found) => found.id === id);
      if (tab) tab.iconBadge = () => badge;
    };
  },
};

export interface Extension {
  settings: ComfySetting[];
  commands: { id: string; label: string; function: () => void }[];
  setup(): void;
  /** Shows something in an output node; returns what takes it away. */
  mount(element: HTMLElement, node: NodeView): () => void;
}

export function register({ settings, commands, setup, mount }: Extension): void {
  app.registerExtension({
    name: "EchoTorrent",
    settings,
    commands,
    setup,
    nodeCreated(node) {
      if (node.comfyClass === SAVE_NODE) addPlayer(node, mount);
    },
  });
}

/** Registers no more than a warning: the pack lies in two folders, and only one of them may act. */
export function registerDuplicate(first: string, second: string): void {
  const text = `EchoTorrent is installed twice, from ${first} and ${second}. Delete one of the two folders.`;
  app.registerExtension({ name: `EchoTorrent (${second})`, setup: () => host.toast("warn", text) });
}

function addPlayer(node: ComfyNode, mount: Extension["mount"]): void {
  if (!node.addDOMWidget) return;
  const element = document.createElement("div");
  const widget = node.addDOMWidget("player", "ECHOTORRENT_PLAYER", element, {
    serialize: false,
    hideOnZoom: false,
    getMinHeight: () => PLAYER.least,
  });
  widget.serialize = false;
  node.hideOutputImages = true; // no second video below ours, in Nodes 2.0
  node.onDrawBackground = () => undefined; // nor in the classic renderer, whose previews come from this hook
  const [width, height] = node.size;
  node.setSize?.([Math.max(width, PLAYER.width), Math.max(height, PLAYER.height)]);
  let loaded = (): void => undefined;
  let made = (_run: string): void => undefined;
  const unmount = mount(element, {
    id: () => String(node.id),
    workflow: () => String((app.rootGraph ?? app.graph)?.id ?? ""),
    remembered: () => String(node.properties?.[REMEMBERED] ?? ""),
    remember: (run) => {
      if (node.properties) node.properties[REMEMBERED] = run;
    },
    onLoaded: (listen) => (loaded = listen),
    onMade: (listen) => (made = listen),
  });
  chain(node, "onConfigure", () => loaded());
  chain(node, "onExecuted", ({ echotorrent_run: runs }) => {
    if (runs?.[0]) made(runs[0]);
  });
  chain(node, "onRemoved", unmount);
}

/** Calls `after` at the end of a node's hook, whoever else uses that hook. */
function chain<K extends "onConfigure" | "onExecuted" | "onRemoved">(
  node: ComfyNode,
  hook: K,
  after: NonNullable<ComfyNode[K]>,
): void {
  const before = node[hook] as ((...details: unknown[]) => void) | undefined;
  node[hook] = function (this: ComfyNode, ...details: unknown[]) {
    before?.apply(this, details);
    (after as (...details: unknown[]) => void)(...details);
  };
}

/** The middle of what is seen of the graph, in its own coordinates. */
function centre(): [number, number] {
  const { ds, canvas } = app.canvas ?? {};
  if (!ds || !canvas) return [0, 0];
  const at = (axis: number, size: number): number => size / 2 / ds.scale - (ds.offset[axis] ?? 0);
  return [at(0, canvas.clientWidth), at(1, canvas.clientHeight)];
}

function resumable(): ComfyNode | undefined {
  const chosen = Object.values(app.canvas?.selected_nodes ?? {}).find(resumeWidget);
  if (chosen) return chosen;
  const graph = app.canvas?.graph ?? app.graph;
  const all = (graph.nodes ?? graph._nodes ?? []).filter(resumeWidget);
  return all.length === 1 ? all[0] : undefined;
}

function resumeWidget(node: ComfyNode): ComfyWidget | undefined {
  if (!node.comfyClass?.startsWith("EchoTorrent_")) return undefined;
  return node.widgets?.find((widget) => RESUME.includes(widget.name));
}
