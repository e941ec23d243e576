import type { ClusterNode, ClusterView } from './cluster-nodes.ts';
import { SLOTS } from './hash-slot.ts';

/** A view and when it was asked for. Units: monotonic ms. */
export interface DatedView {
  readonly view: ClusterView;
  readonly at: number;
}

/** What one view says of one node. */
export interface Claim {
  readonly node: ClusterNode;
  /** The node says it of itself, and did so lately. */
  readonly isOwn: boolean;
  readonly at: number;
}

/** What several views come to. */
export interface Settlement {
  /** What is believed of each node, by its id. */
  readonly nodes: ReadonlyMap<string, Claim>;
  /** The claim that each slot goes to. */
  readonly owners: readonly (Claim | undefined)[];
}

/** Makes one map of the newest views of several nodes, in whatever order they came.
 *
 *  Of each node the claim with the highest config epoch is believed; among equals its own, then the newest. A slot goes to
 *  the believed claim with the highest epoch. A slot that no believed claim names goes to whoever any view gives it to: while
 *  a slot changes hands, both nodes may say that the other has it, and then one of them has to be asked.
 *  Of a view older than `freshFrom` only what its node says of itself counts: it could not be asked again since.
 *  Cost: O(lines of the views + slots). Source: Redis Cluster specification, "Configuration epochs". */
export function settle(views: Iterable<DatedView>, freshFrom: number): Settlement {
  const claims = [...views].flatMap((dated) => claimsIn(dated, freshFrom));
  const nodes = new Map<string, Claim>();
  for (const claim of claims) {
    const known = nodes.get(claim.node.id);
    if (known === undefined || rank(claim, known) > 0) nodes.set(claim.node.id, claim);
  }
  const owners = Array<Claim | undefined>(SLOTS).fill(undefined);
  giveAway(owners, [...nodes.values()]);
  if (owners.includes(undefined)) giveAway(owners, claims);
  return { nodes, owners };
}

function claimsIn({ view, at }: DatedView, freshFrom: number): Claim[] {
  if (at < freshFrom) return [{ node: view.self, isOwn: false, at }];
  return view.nodes
    .filter((node) => !node.isHandshake)
    .map((node) => ({ node, isOwn: node === view.self, at }));
}

/** Above 0 = the first is to be believed. The id decides in the end, so that no order of arrival does. */
function rank(a: Claim, b: Claim): number {
  return (
    a.node.configEpoch - b.node.configEpoch ||
    Number(a.isOwn) - Number(b.isOwn) ||
    a.at - b.at ||
    (a.node.id < b.node.id ? -1 : 1)
  );
}

/** Slots that have an owner keep it. */
function giveAway(owners: (Claim | undefined)[], claims: readonly Claim[]): void {
  const best = claims.filter(({ node }) => node.slots.length > 0).toSorted((a, b) => rank(b, a));
  for (const claim of best) {
    for (const { first, last } of claim.node.slots) {
      for (let slot = first; slot <= last; slot++) owners[slot] ??= claim;
    }
  }
}
