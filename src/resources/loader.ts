import DataLoader from "dataloader";
import type { AuthentikClient } from "../authentik/client.ts";
import { perRequest } from "../authentik/per-request.ts";

/**
 * A DataLoader for each caller's operation, which counts the keys that it is asked for, duplicates among them.
 * What else `batch` takes must be the same throughout an operation, such as a limit: the first call decides.
 * @param batch gives each key its outcome, in the order of the keys: what was found, or an error as a value
 */
export function loaderPerRequest<Key, Value, Rest extends readonly unknown[] = []>(
  batch: (
    client: AuthentikClient,
    keys: readonly Key[],
    ...rest: Rest
  ) => Promise<readonly (Value | Error)[]>,
) {
  return perRequest(
    (client, ...rest: Rest) =>
      new DataLoader<Key, Value>((keys) => batch(client, keys, ...rest), {
        // DataLoader calls it for every key.
        cacheKeyFn(key) {
          client.usage.keysRequested += 1;
          return key;
        },
      }),
  );
}
