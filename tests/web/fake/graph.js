// Stands in for ComfyUI's graph library: nodes with one model input and output, and links between them.
const KINDS = {
  EchoTorrent_LoadModel: { title: "Load Model", widgets: [{ name: "preset", value: "embedded" }] },
  EchoTorrent_LoadIdentity: {
    title: "Load Identity",
    inputs: [{ name: "model", link: null }],
    widgets: [{ name: "identity", value: "none", options: { values: ["none"] } }, { name: "strength", value: 1 }],
  },
  EchoTorrent_Stream: { title: "Stream", inputs: [{ name: "audio", link: null }, { name: "model", link: null }] },
};

class FakeGraphNode {
  constructor(type) {
    Object.assign(this, { type, comfyClass: type, pos: [0, 0], size: [200, 100], inputs: [], widgets: [] });
    Object.assign(this, structuredClone(KINDS[type]), { outputs: [{ name: "model", links: null }] });
  }
  connect(output, target, input) {
    const { links } = this.graph;
    const old = target.inputs[input].link;
    if (old !== null) {
      const from = this.graph.getNodeById(links.get(old).origin_id).outputs[0];
      from.links = from.links.filter((id) => id !== old);
      links.delete(old);
    }
    const id = this.graph.lastLink++;
    links.set(id, { id, origin_id: this.id, target_id: target.id, target_slot: input });
    (this.outputs[output].links ??= []).push(id);
    target.inputs[input].link = id;
  }
}

window.LiteGraph = { createNode: (type) => (KINDS[type] ? new FakeGraphNode(type) : null) };

export const graph = {
  id: "workflow-1",
  nodes: [],
  links: new Map(),
  lastLink: 1,
  setDirtyCanvas() {},
  getNodeById: (id) => graph.nodes.find((node) => node.id === id),
  add(node) {
    node.id ??= 100 + graph.nodes.length;
    node.graph = graph;
    graph.nodes.push(node);
  },
  /** What a node's first input with this name comes from. */
  source: (node, name) => {
    const id = node.inputs.find((input) => input.name === name).link;
    return id === null ? null : graph.getNodeById(graph.links.get(id).origin_id);
  },
};
