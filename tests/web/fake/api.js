// Stands in for ComfyUI's api: requests below /api, and the socket as a stream of server-sent events.
class FakeApi extends EventTarget {
  constructor() {
    super();
    this.muted = false; // a test's lost announcements
    let lost = false;
    const source = new EventSource("/fake/socket");
    source.onmessage = ({ data }) => {
      if (!this.muted) this.dispatchEvent(new CustomEvent("echotorrent.event", { detail: JSON.parse(data) }));
    };
    source.onerror = () => {
      if (!lost) this.dispatchEvent(new CustomEvent("reconnecting"));
      lost = true;
    };
    source.onopen = () => {
      if (lost) this.dispatchEvent(new CustomEvent("reconnected"));
      lost = false;
    };
  }
  apiURL(path) {
    return `/api${path}`;
  }
  fetchApi(path, options) {
    return fetch(this.apiURL(path), options);
  }
}

export const api = new FakeApi();
window.fakeApi = api;
