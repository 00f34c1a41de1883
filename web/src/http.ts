/** How the pack's routes are asked. Everything here throws Refused or Away. */

/** The server answered, but not with what was asked for. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The server did not answer at all. */
export class Away extends Error {}

export interface Http {
  fetch(path: string, options?: RequestInit): Promise<Response>;
  /** Address of a path for elements that load by themselves. */
  url(path: string): string;
}

export async function ask(http: Http, path: string, options?: RequestInit): Promise<Response> {
  return accepted(await alive(http.fetch(path, { cache: "no-store", ...options })), path);
}

export async function json(http: Http, path: string, options?: RequestInit): Promise<unknown> {
  return alive((await ask(http, path, options)).json());
}

/** The response, if it is what was asked for. */
export async function accepted(response: Response, path: string): Promise<Response> {
  if (response.ok) return response;
  const body: unknown = await response.json().catch(() => null);
  const said = typeof body === "object" && body !== null && "error" in body ? String(body.error) : "";
  throw new Refused(response.status, said || `the server answered ${response.status} to ${path}`);
}

export async function alive<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    throw new Away(error instanceof Error ? error.message : String(error));
  }
}

/** What to tell the user of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
