import { expect, it } from "vitest";

import { putIdentity } from "../../src/graph";

const MODEL = "EchoTorrent_LoadModel";
const IDENTITY = "EchoTorrent_LoadIdentity";

/** A graph of one model input and output per node. */
class Graph implements ComfyGraph {
  nodes: ComfyNode[] = [];
  links: Record<number, ComfyLink> = {};
  undone: string[] = [];
  private last = 0;

  make = (type: string): ComfyNode => {
    const node: ComfyNode = {
      id: 0,
      type,
      title: type.replace("EchoTorrent_", ""),
      pos: [100, 50],
      size: [200, 80],
      inputs: [{ name: "audio" }, { name: "model" }],
      outputs: [{ name: "model", links: null }],
      widgets: [{ name: "strength", value: 1 }, { name: "identity", value: "", options: { values: ["old"] } }],
      connect: (output, target, input) => {
        const id = (this.last += 1);
        for (const [old, link] of Object.entries(this.links))
          if (link.target_id === target.id && link.target_slot === input) this.unlink(Number(old));
        this.links[id] = { target_id: target.id, target_slot: input };
        (node.outputs![output]!.links ??= []).push(id);
      },
    };
    return node;
  };

  add = (node: ComfyNode): void => {
    node.id = this.nodes.length + 1;
    this.nodes.push(node);
  };

  put(type: string): ComfyNode {
    const node = this.make(type);
    this.add(node);
    return node;
  }

  getNodeById = (id: number | string): ComfyNode | undefined => this.nodes.find((node) => node.id === id);
  beforeChange = (): void => void this.undone.push("before");
  afterChange = (): void => void this.undone.push("after");

  /** Type of the node at an input. */
  source(node: ComfyNode, input: number): string | undefined {
    const [id] = Object.entries(this.links).find(([, link]) => link.target_id === node.id && link.target_slot === input) ?? [];
    return this.nodes.find(({ outputs }) => outputs?.[0]?.links?.includes(Number(id)))?.type;
  }

  private unlink(id: number): void {
    delete this.links[id];
    for (const { outputs } of this.nodes) {
      const out = outputs?.[0];
      if (out) out.links = out.links?.filter((other) => other !== id) ?? null;
    }
  }
}

const identity = (node: ComfyNode | undefined): unknown => node?.widgets?.find(({ name }) => name === "identity")?.value;

it("puts the node between the selected model and all that used it, in one step of undoing", () => {
  const graph = new Graph();
  const [other, model, one, two] = [graph.put(MODEL), graph.put(MODEL), graph.put("Stream"), graph.put("Stream")];
  model.connect?.(0, one, 1);
  model.connect?.(0, two, 0);
  other.connect?.(0, two, 1);
  const { done, node } = putIdentity({ graph, selected: [model], centre: [0, 0] }, graph.make, "job/a/x.safetensors");
  expect(done).toBe(true);
  expect(identity(node)).toBe("job/a/x.safetensors");
  expect(node?.widgets?.[1]?.options?.values).toEqual(["old", "job/a/x.safetensors"]);
  expect(node && graph.source(node, 1)).toBe(MODEL);
  expect([graph.source(one, 1), graph.source(two, 0), graph.source(two, 1)]).toEqual([IDENTITY, IDENTITY, MODEL]);
  expect(node?.pos).toEqual([100, 190]); // below the model
  expect(graph.undone).toEqual(["before", "after"]);
});

it("covers no other node", () => {
  const graph = new Graph();
  const model = graph.put(MODEL);
  for (const [left, top] of [[900, 200], [290, 420], [80, 230], [100, 700]] as const) graph.put("Stream").pos = [left, top];
  const { node } = putIdentity({ graph, selected: [model], centre: [0, 0] }, graph.make, "x");
  expect(node?.pos).toEqual([100, 560]); // below the two that are in the way, above the last one
});

it("takes the only model where none is selected, and none where there are two", () => {
  const graph = new Graph();
  graph.put(MODEL);
  const first = putIdentity({ graph, selected: [], centre: [7, 8] }, graph.make, "x");
  expect(first.node && graph.source(first.node, 1)).toBe(MODEL);
  const both = new Graph();
  both.put(MODEL);
  both.put(MODEL);
  const second = putIdentity({ graph: both, selected: [], centre: [7, 8] }, both.make, "x");
  expect(second.node && both.source(second.node, 1)).toBeUndefined();
  expect(second.node?.pos).toEqual([7, 8]);
  expect(second.text).toContain("Connect its model input");
});

it("gives another identity to the node that is there already", () => {
  const graph = new Graph();
  const model = graph.put(MODEL);
  putIdentity({ graph, selected: [model], centre: [0, 0] }, graph.make, "x");
  const again = putIdentity({ graph, selected: [model], centre: [0, 0] }, graph.make, "y");
  expect(graph.nodes).toHaveLength(2);
  expect(identity(again.node)).toBe("y");
  const alone = putIdentity({ graph, selected: [graph.nodes[1]!], centre: [0, 0] }, graph.make, "z");
  expect([graph.nodes.length, identity(alone.node)]).toEqual([2, "z"]);
});

it("reads links that are kept in a map, and says when the node is not known", () => {
  const graph = new Graph();
  const [model, user] = [graph.put(MODEL), graph.put("Stream")];
  model.connect?.(0, user, 1);
  const links = new Map(Object.entries(graph.links).map(([id, link]) => [Number(id), link]));
  const mapped: ComfyGraph = { nodes: graph.nodes, links, getNodeById: graph.getNodeById, add: graph.add };
  expect(putIdentity({ graph: mapped, selected: [model], centre: [0, 0] }, graph.make, "x").text).toContain("the node that uses it");
  expect(putIdentity({ graph: new Graph(), selected: [], centre: [0, 0] }, () => null, "x")).toMatchObject({ done: false });
});
