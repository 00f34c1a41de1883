/** The part of ComfyUI's frontend that `adapter.ts` uses. Written from its behaviour; checked by the browser tests. */

interface ComfyWidget {
  name: string;
  value: unknown;
  serialize?: boolean;
  callback?: (value: unknown) => void;
  /** Of a combo: what can be chosen. */
  options?: { values?: unknown };
}

interface DomWidgetOptions {
  /** Whether the value belongs in the prompt; the widget's own `serialize` is about the workflow file. */
  serialize?: boolean;
  hideOnZoom?: boolean;
  getMinHeight?: () => number;
  getMaxHeight?: () => number;
}

interface ComfyNode {
  id: number | string;
  title?: string;
  type?: string;
  comfyClass?: string;
  properties?: Record<string, unknown>;
  widgets?: ComfyWidget[];
  hideOutputImages?: boolean;
  onDrawBackground?: () => void;
  pos?: [number, number];
  size: [number, number];
  inputs?: { name: string }[];
  outputs?: { name: string; links?: number[] | null }[];
  connect?(output: number, target: ComfyNode, input: number): unknown;
  setSize?(size: [number, number]): void;
  onConfigure?: (info: unknown) => void;
  onExecuted?: (output: { echotorrent_run?: string[] }) => void;
  onRemoved?: () => void;
  addDOMWidget?(name: string, type: string, element: HTMLElement, options: DomWidgetOptions): ComfyWidget;
}

interface ComfyLink {
  target_id: number | string;
  target_slot: number;
}

interface ComfyCanvas {
  graph?: ComfyGraph;
  selected_nodes?: Record<string, ComfyNode>;
  /** Pan and zoom. */
  ds?: { offset: ArrayLike<number>; scale: number };
  canvas?: HTMLCanvasElement;
  selectNode?(node: ComfyNode): void;
}

interface ComfyGraph {
  id?: string;
  nodes?: ComfyNode[];
  _nodes?: ComfyNode[];
  links?: Record<number, ComfyLink> | Map<number, ComfyLink>;
  getNodeById?(id: number | string): ComfyNode | null | undefined;
  add?(node: ComfyNode): void;
  /** Around what is undone together. */
  beforeChange?(): void;
  afterChange?(): void;
  setDirtyCanvas?(foreground: boolean, background: boolean): void;
}

interface SidebarTab {
  id: string;
  title: string;
  label: string;
  icon: string;
  tooltip: string;
  type: "custom";
  iconBadge: () => string | null;
  render(container: HTMLElement): void;
}

interface ComfySetting {
  id: string;
  name: string;
  tooltip: string;
  category: string[];
  type: "boolean";
  defaultValue: boolean;
}

interface ComfyExtension {
  name: string;
  commands?: { id: string; label: string; icon?: string; function: () => void }[];
  settings?: ComfySetting[];
  aboutPageBadges?: { label: string; url: string; icon: string }[];
  setup?(): void | Promise<void>;
  nodeCreated?(node: ComfyNode): void;
}

/** The host's graph library, a global of its page. */
declare var LiteGraph: { createNode(type: string): ComfyNode | null } | undefined;

// The star because a module declaration may not name a rooted path.
declare module "*/scripts/app.js" {
  export const app: {
    graph: ComfyGraph;
    rootGraph?: ComfyGraph;
    canvas?: ComfyCanvas;
    registerExtension(extension: ComfyExtension): void;
    extensionManager: {
      registerSidebarTab(tab: SidebarTab): void;
      getSidebarTabs?(): SidebarTab[];
      toast: { add(message: { severity: string; summary: string; detail?: string; life?: number }): void };
      setting: { get(id: string): unknown };
    };
  };
}

declare module "*/scripts/api.js" {
  export const api: EventTarget & {
    fetchApi(path: string, options?: RequestInit): Promise<Response>;
    apiURL(path: string): string;
  };
}

declare module "*.vue" {
  import type { DefineComponent } from "vue";
  const component: DefineComponent;
  export default component;
}
