import { createApp, h, watch } from "vue";

import { host, register, registerDuplicate } from "./adapter";
import { Client } from "./runs/client";
import { Store } from "./runs/store";
import styles from "./style.css?inline";
import { TrainingClient } from "./training/client";
import { TrainingStore } from "./training/store";
import NodePlayer from "./view/NodePlayer.vue";
import Panel from "./view/Panel.vue";
import trainingStyles from "./view/training/training.css?inline";
import { KEY, type Services } from "./view/services";

const AUTOPLAY = "EchoTorrent.AutoPlay";

declare global {
  var echotorrentLoadedFrom: string | undefined;
}

function start(): void {
  const client = new Client(host);
  const store = new Store(client);
  const training = new TrainingStore(new TrainingClient(host));
  const services: Services = { client, store, training, host, autoplay: () => host.setting(AUTOPLAY) !== false };

  // Before the set-up: the host reports messages that nobody listens to as faults.
  host.onAnnouncement((announcement) => store.announced(announcement));
  host.onConnection((connected) => (connected ? void store.refresh() : store.lost()));
  register({
    settings: [
      {
        id: AUTOPLAY,
        name: "Play a video while it is made",
        tooltip: "Playback starts with the first finished chunk. Off: it waits until you press play.",
        category: ["EchoTorrent", "Playback", "AutoPlay"],
        type: "boolean",
        defaultValue: true,
      },
    ],
    commands: [{ id: "EchoTorrent.StopAndKeep", label: "Stop the running video, keep what is made", function: stop }],
    setup() {
      document.head.append(Object.assign(document.createElement("style"), { textContent: styles + trainingStyles }));
      const badge = host.addSidebarTab("echotorrent", "EchoTorrent", "EchoTorrent", panel());
      watch(store.running, ({ length }) => badge(length ? String(length) : null));
      void store.refresh();
    },
    mount(element, node) {
      const app = createApp({ render: () => h(NodePlayer, { node }) });
      app.provide(KEY, services).mount(element);
      return () => app.unmount();
    },
  });

  /** Built once and kept: the host throws its container's contents away whenever another tab is shown. */
  function panel(): HTMLElement {
    const root = document.createElement("div");
    root.className = "et-root";
    createApp(Panel).provide(KEY, services).mount(root);
    return root;
  }

  function stop(): void {
    const id = store.running.value[0];
    if (id) client.stop(id).catch((error: Error) => host.toast("error", `The run was not stopped: ${error.message}`));
    else host.toast("info", "No video is being made.");
  }
}

const first = globalThis.echotorrentLoadedFrom;
const here = import.meta.url.replace(/[^/]*$/, "");
if (first === undefined) {
  globalThis.echotorrentLoadedFrom = here;
  start();
} else registerDuplicate(first, here);
