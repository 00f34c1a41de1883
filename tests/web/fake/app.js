// Stands in for ComfyUI's app: what the adapter uses, and hooks for the tests under window.fake.
import { graph } from "./graph.js";

const extensions = [];
const tabs = {};
const toasts = [];
const settings = new Map();

class FakeNode {
  constructor(id, comfyClass) {
    Object.assign(this, { id, comfyClass, title: comfyClass, properties: {}, size: [200, 100], outputs: [] });
    this.widgets = [{ name: "name", value: "avatar" }, { name: "resume", value: "" }];
    this.element = document.createElement("div");
    this.element.className = "fake-node";
  }
  addDOMWidget(name, type, element, options) {
    this.element.append(element);
    const widget = { name, type, element, options, value: "" };
    this.widgets.push(widget);
    return widget;
  }
  setSize(size) {
    this.size = size;
    Object.assign(this.element.style, { width: `${size[0]}px`, height: `${size[1]}px` });
  }
}

export const app = {
  graph,
  canvas: { graph, selected_nodes: {} },
  registerExtension(extension) {
    if (extensions.some(({ name }) => name === extension.name)) throw new Error(`'${extension.name}' is registered`);
    extensions.push(extension);
    for (const { id, defaultValue } of extension.settings ?? []) settings.set(id, defaultValue);
  },
  extensionManager: {
    registerSidebarTab: (tab) => (tabs[tab.id] = tab),
    getSidebarTabs: () => Object.values(tabs),
    toast: { add: (toast) => toasts.push(toast) },
    setting: { get: (id) => settings.get(id) },
  },
};

window.fake = {
  app, extensions, tabs, toasts, settings,
  /** As the host does it: one container for all tabs, and no word to the one that leaves. */
  show(tab) {
    const container = document.getElementById("sidebar");
    if (tabs[tab]) tabs[tab].render(container);
    else container.replaceChildren(document.createTextNode(`tab ${tab}`));
  },
  addNode(id, properties) {
    const node = new FakeNode(id, "EchoTorrent_SaveVideo");
    document.getElementById("canvas").append(node.element);
    for (const { nodeCreated } of extensions) nodeCreated?.(node);
    if (properties) {
      node.properties = properties;
      node.onConfigure?.({});
    }
    graph.nodes.push(node);
    return node;
  },
  /** Another workflow: all nodes go. */
  clear() {
    for (const node of graph.nodes.splice(0)) {
      node.onRemoved?.();
      node.element?.remove();
    }
  },
  /** A node without an element, of a type that the graph library knows. */
  addGraphNode(type, selected) {
    const node = LiteGraph.createNode(type);
    graph.add(node);
    if (selected) app.canvas.selected_nodes = { [node.id]: node };
    return node;
  },
  command: (id) => extensions.flatMap(({ commands }) => commands ?? []).find((it) => it.id === id).function(),
};
