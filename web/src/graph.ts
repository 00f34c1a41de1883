/** Changes of the open workflow, on the host's graph objects but without its `app`. */

const MODEL = "EchoTorrent_LoadModel";
const IDENTITY = "EchoTorrent_LoadIdentity";
const GAP = 60; // between nodes; a node's title is drawn above its place

export interface Done {
  done: boolean;
  text: string;
  node?: ComfyNode;
}

export interface Place {
  graph: ComfyGraph;
  selected: readonly ComfyNode[];
  /** Where a node goes that belongs to no other. */
  centre: [number, number];
}

/**
 * Has the workflow load an identity. A node that does so already, selected or behind the model, takes the new one;
 * else a new node is put behind the selected model, or the only one, and between it and all that used it.
 */
export function putIdentity(
  { graph, selected, centre }: Place,
  create: (type: string) => ComfyNode | null | undefined,
  value: string,
): Done {
  const model = selected.find(is(MODEL)) ?? only(all(graph).filter(is(MODEL)));
  const users = model ? usersOf(graph, model) : [];
  const known = selected.find(is(IDENTITY)) ?? users.find(({ node }) => is(IDENTITY)(node))?.node;
  if (known) {
    choose(known, value);
    graph.setDirtyCanvas?.(true, true);
    return { done: true, text: `Node '${nameOf(known)}' loads this identity now.`, node: known };
  }
  const node = create(IDENTITY);
  if (!node || !graph.add) return { done: false, text: "ComfyUI does not know the node Load Identity: restart it." };
  graph.beforeChange?.();
  node.pos = model ? below(model, node, graph) : centre;
  graph.add(node);
  choose(node, value);
  if (model) insert(model, node, users);
  graph.afterChange?.();
  graph.setDirtyCanvas?.(true, true);
  return { done: true, text: said(node, model, users.length), node };
}

interface User {
  node: ComfyNode;
  input: number;
}

function said(node: ComfyNode, model: ComfyNode | undefined, users: number): string {
  const name = `'${nameOf(node)}'`;
  if (!model) return `${name} is in the workflow. Connect its model input.`;
  if (!users) return `${name} is in the workflow, behind '${nameOf(model)}'. Connect its output.`;
  return `${name} is in the workflow, between '${nameOf(model)}' and ${users === 1 ? "the node that uses" : "the nodes that use"} it.`;
}

function insert(model: ComfyNode, node: ComfyNode, users: readonly User[]): void {
  const input = node.inputs?.findIndex(({ name }) => name === "model") ?? -1;
  model.connect?.(0, node, Math.max(0, input));
  for (const user of users) node.connect?.(0, user.node, user.input);
}

function usersOf(graph: ComfyGraph, model: ComfyNode): User[] {
  return (model.outputs?.[0]?.links ?? []).flatMap((id) => {
    const link = graph.links instanceof Map ? graph.links.get(id) : graph.links?.[id];
    const node = link && graph.getNodeById?.(link.target_id);
    return node ? { node, input: link.target_slot } : [];
  });
}

function choose(node: ComfyNode, value: string): void {
  const widget = node.widgets?.find(({ name }) => name === "identity") ?? node.widgets?.[0];
  if (!widget) return;
  const values = widget.options?.values;
  if (Array.isArray(values) && !values.includes(value)) values.push(value); // made since the page was loaded
  widget.value = value;
  widget.callback?.(value);
}

/** The first place below a node where another one covers none. */
function below(model: ComfyNode, node: ComfyNode, graph: ComfyGraph): [number, number] {
  const [x, start] = [leftOf(model), topOf(model) + model.size[1] + GAP];
  const beside = all(graph).filter((other) => leftOf(other) < x + node.size[0] && leftOf(other) + other.size[0] > x);
  const inOrder = beside.filter((other) => topOf(other) + other.size[1] >= start).sort((a, b) => topOf(a) - topOf(b));
  let y = start;
  for (const other of inOrder)
    if (topOf(other) < y + node.size[1] + GAP) y = Math.max(y, topOf(other) + other.size[1] + GAP);
  return [x, y];
}

const leftOf = ({ pos }: ComfyNode): number => pos?.[0] ?? 0;
const topOf = ({ pos }: ComfyNode): number => pos?.[1] ?? 0;

const is = (type: string) => (node: ComfyNode): boolean => (node.comfyClass ?? node.type) === type;
const nameOf = (node: ComfyNode): string => node.title ?? String(node.id);
const all = (graph: ComfyGraph): readonly ComfyNode[] => graph.nodes ?? graph._nodes ?? [];
const only = (nodes: readonly ComfyNode[]): ComfyNode | undefined => (nodes.length === 1 ? nodes[0] : undefined);
