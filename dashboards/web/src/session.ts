// Signing in: a key is given to the server once, for a session whose cookie no
// script can read.
import type { components } from "./openapi";

/** Who asks, and how to sign in. */
export type Session = components["schemas"]["Session"];

/** takeKey takes the key out of an address such as /?market=FR#key=rc_..., so that
    it stands there no longer. What is behind # goes to no server. */
export function takeKey(): string | undefined {
  const key = /^#key=(.+)$/.exec(location.hash)?.[1];
  if (key === undefined) return undefined;
  history.replaceState(null, "", location.pathname + location.search);
  return key;
}
