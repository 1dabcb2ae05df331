import DataLoader from "dataloader";
import type { AuthentikClient } from "../authentik/client.ts";
import { perRequest } from "../authentik/per-request.ts";

/**
 * A DataLoader for each caller's operation, which counts the keys that it is asked for, and those without duplicates.
 * What else `batch` takes must be the same throughout an operation, such as a limit: the first call decides.
 * @param batch gives each key its outcome, in the order of the keys: what was found, or an error as a value
 */
export function loaderPerRequest<Key, Outcome, Rest extends readonly unknown[]>(
  batch: (client: AuthentikClient, keys: readonly Key[], ...rest: Rest) => Promise<readonly Outcome[]>,
) {
  type Value = Exclude<Outcome, Error>;
  return perRequest((client, ...rest: Rest) => {
    const loader = new DataLoader<Key, Value>((keys) => {
      client.count("keysFetched", keys.length);
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is no error is a value
      return batch(client, keys, ...rest) as Promise<readonly (Value | Error)[]>;
    });
    const load = loader.load.bind(loader);
    loader.load = (key) => {
      client.count("keysRequested");
      return load(key);
    };
    return loader;
  });
}
