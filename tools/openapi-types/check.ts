// Uses of the generated types that must compile, and one that must not: types that have become any would let it pass.
import type { components, paths } from "../../build/types/api";

type Answer = paths["/api/v1/asks"]["post"]["responses"]["200"]["content"]["application/json"];
type Notice = components["schemas"]["Notice"];

export const outcome: Answer["outcome"] = "no_hit";
export const heard: Notice = { topic: "entry", member: "310116-01", event: "confirm", state: "withdrawn" };
export const verb: paths["/api/v1/entries/{id}/withdraw"]["post"]["parameters"]["path"] = { id: "0".repeat(32) };
// @ts-expect-error: not one of the outcomes
export const wrong: Answer["outcome"] = "none";
// @ts-expect-error: not one of the topics
export const off: Notice = { topic: "nothing" };
