import type { Sending } from "./client";

/** POST of a form to an address, with word of how much is sent. Rejects if the server does not answer. */
export function post(address: string, form: FormData, { progress, signal }: Sending): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const broken = (why: string) => (): void => reject(new Error(why));
    request.upload.onprogress = ({ loaded, total }) => progress(total ? loaded / total : 0);
    request.onload = () => resolve(new Response(request.responseText, { status: request.status }));
    request.onerror = broken("the connection broke");
    request.onabort = broken("it was broken off");
    signal.addEventListener("abort", () => request.abort(), { once: true });
    request.open("POST", address);
    request.send(form);
  });
}
