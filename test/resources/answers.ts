import type { HouseGateway } from "../support/house-gateway.ts";

/** Does something right after the first answer to a request that has this in its path. */
export function afterAnswer(at: HouseGateway, part: string, change: () => void): void {
  let isDone = false;
  at.authentik.answer((request, _response, fallback) => {
    fallback();
    if (isDone || !request.path.includes(part)) return;
    isDone = true;
    change();
  });
}
