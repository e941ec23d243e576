import { beforeEach, describe, expect, test } from 'vitest';

import { SlotMap } from '../../../src/route/slot-map.ts';
import { clusterView, type NodeSketch, portOfNode } from '../../support/cluster-view.ts';

const WINDOW_MS = 1000;
const LIFE_MS = 10_000;
const LAST = 16_383;
const LOCALHOST = '127.0.0.1';

let map: SlotMap;

beforeEach(() => {
  map = new SlotMap({ redirectWindowMs: WINDOW_MS, viewLifeMs: LIFE_MS });
});

const a = (epoch: number, ...slots: [number, number][]): NodeSketch => ({ name: 'a', epoch, slots });
const b = (epoch: number, ...slots: [number, number][]): NodeSketch => ({ name: 'b', epoch, slots });
const c = (epoch: number, ...slots: [number, number][]): NodeSketch => ({ name: 'c', epoch, slots });

/** The name of the node that owns a slot, by the port it listens on. */
function owner(slot: number): string | undefined {
  const port = map.ownerOf(slot)?.port;
  return port === undefined ? undefined : String.fromCharCode(port - 7000);
}

function moved(slot: number, name: string, now: number): void {
  map.moved(slot, LOCALHOST, portOfNode(name), now);
}

describe('views', () => {
  test('say who owns each slot, and who owns none', () => {
    const changes = map.apply(clusterView([a(1, [0, 99]), b(2, [200, LAST])]), 0);

    expect([owner(0), owner(99), owner(100), owner(199), owner(200), owner(LAST)]).toEqual([
      'a',
      'a',
      undefined,
      undefined,
      'b',
      'b',
    ]);
    expect(map.ownedSlots).toBe(LAST + 1 - 100);
    expect(changes.slots).toBe(map.ownedSlots);
    expect(changes.added.map(({ port }) => port)).toEqual([portOfNode('a'), portOfNode('b')]);
  });

  test('that say nothing new change nothing', () => {
    map.apply(clusterView([a(1, [0, LAST]), b(2)]), 0);
    const before = [map.version, map.incarnationOf(0)];

    const changes = map.apply(clusterView([b(2), a(1, [0, LAST])]), 1);

    expect(changes).toEqual({
      slots: 0,
      added: [],
      removed: [],
      roleChanged: [],
      readdressed: [],
      isForeign: false,
    });
    expect([map.version, map.incarnationOf(0)]).toEqual(before);
  });

  test('with a higher epoch win, whichever comes last', () => {
    map.apply(clusterView([b(5, [0, LAST]), a(1), c(2)]), 0);
    map.apply(clusterView([c(2), a(1, [0, LAST]), b(0)]), 1);
    expect(owner(7)).toBe('b');
  });

  test('of an owner itself are believed before what others say of it with the same epoch', () => {
    map.apply(clusterView([a(5, [1, LAST]), b(2, [0, 0]), c(3)]), 1);
    map.apply(clusterView([b(2, [0, 0]), a(5, [1, LAST]), c(3)]), 2);
    map.apply(clusterView([c(3), a(5, [0, LAST]), b(2)]), 3);
    expect(owner(0)).toBe('b');
  });

  test('that were asked for last are believed of the nodes that were not asked', () => {
    map.apply(clusterView([b(2), { ...a(5, [0, LAST]), port: 9000 }, c(3)]), 5);
    map.apply(clusterView([c(3), a(5, [0, LAST]), b(2)]), 3);
    expect(map.ownerOf(0)?.port).toBe(9000);
  });

  test('between which nobody claims a slot still name somebody to ask', () => {
    // The old owner has heard that it gave the slot away, the new one has not heard that it took it.
    map.apply(clusterView([a(5, [1, LAST]), b(2, [0, 0])]), 0);
    map.apply(clusterView([b(2), a(5, [0, LAST])]), 1);
    expect(owner(0)).toBeDefined();
    expect(map.ownedSlots).toBe(LAST + 1);
  });

  test('that come late count as of when they were asked for', () => {
    map.apply(clusterView([a(1, [0, 9]), b(2)]), 10);
    map.apply(clusterView([a(1, [0, LAST]), b(2)]), 9);
    expect(owner(10)).toBeUndefined();
  });

  test('of a node that cannot be asked any more count for its own slots, not for those of others', () => {
    map.apply(clusterView([a(1, [0, 9]), b(7, [10, 19]), c(3)]), 0);
    map.apply(clusterView([c(3), a(1), b(2, [20, 29])]), LIFE_MS + 1);
    expect([owner(0), owner(10), owner(20)]).toEqual(['a', undefined, 'b']);
    // Nor do they when something comes late.
    map.apply(clusterView([b(2, [20, 29]), a(1), c(3)]), 2);
    expect(owner(10)).toBeUndefined();
  });
});

describe('nodes', () => {
  test('come and go, and change their role and their address', () => {
    map.apply(clusterView([a(1, [0, 9]), b(1, [10, 19]), c(1)]), 0);
    const [nodeA, nodeB, nodeC] = [...map.nodes.values()];

    const changes = map.apply(
      clusterView([
        { ...a(1, [0, 19]), port: 9000 },
        { ...b(2), role: 'replica', primaryId: 'x' },
        { name: 'd', epoch: 0 },
      ]),
      1,
    );

    expect(changes.added).toEqual([...map.nodes.values()].slice(2));
    expect([changes.removed, changes.roleChanged, changes.readdressed]).toEqual([[nodeC], [nodeB], [nodeA]]);
    expect(nodeA).toMatchObject({ port: 9000, role: 'primary' });
    expect(nodeB).toMatchObject({ role: 'replica', primaryId: 'x' });
    expect(map.ownerOf(0)).toBe(nodeA);
  });

  test('in a handshake are not nodes yet', () => {
    map.apply(clusterView([a(1), { ...b(0), isHandshake: true }]), 0);
    expect(map.nodes.size).toBe(1);
    expect(map.apply(clusterView([b(9, [0, LAST]), a(1)]), 1)).toMatchObject({ isForeign: true, slots: 0 });
  });

  test('keep their address when a view knows none', () => {
    map.apply(clusterView([a(1), b(1)]), 0);
    const changes = map.apply(clusterView([a(1), { ...b(1), host: '', port: 0 }]), 1);
    expect(changes.readdressed).toEqual([]);
    expect([...map.nodes.values()][1]).toMatchObject({ host: LOCALHOST, port: portOfNode('b') });
  });

  test('that all others have forgotten are forgotten, though they still say that they own slots', () => {
    map.apply(clusterView([a(1, [0, 9]), b(2, [10, LAST])]), 0);
    map.apply(clusterView([b(2, [10, LAST]), a(1, [0, 9])]), 0);

    map.apply(clusterView([a(1, [0, LAST])]), 1);
    const refused = map.apply(clusterView([b(2, [10, LAST]), a(1, [0, 9])]), 2);
    const changes = map.apply(clusterView([a(1, [0, LAST])]), LIFE_MS + 1);

    expect(refused.isForeign).toBe(true);
    expect(changes.removed.map(({ port }) => port)).toEqual([portOfNode('b')]);
    expect(owner(10)).toBe('a');
  });

  test('of another cluster are not listened to while a node of this one was heard lately', () => {
    map.apply(clusterView([a(1, [0, LAST])]), 0);
    const stranger = clusterView([{ name: 'z', epoch: 99, slots: [[0, LAST]] }]);

    expect(map.apply(stranger, LIFE_MS)).toMatchObject({ isForeign: true, slots: 0, added: [] });
    expect(owner(0)).toBe('a');
    expect(map.apply(stranger, LIFE_MS + 1)).toMatchObject({ isForeign: false, slots: LAST + 1 });
    expect(owner(0)).toBe('z');
  });
});

describe('an incarnation', () => {
  test('is raised by a new owner, and by the old one after that, of those slots alone', () => {
    map.apply(clusterView([a(1, [0, LAST]), b(1)]), 0);
    const seen = [map.incarnationOf(5)];
    const untouched = map.incarnationOf(6);

    map.apply(clusterView([a(1, [0, 4], [6, LAST]), b(2, [5, 5])]), 1);
    seen.push(map.incarnationOf(5));
    map.apply(clusterView([a(3, [0, LAST]), b(2)]), 2);
    seen.push(map.incarnationOf(5));

    expect(new Set(seen).size).toBe(3);
    expect(map.incarnationOf(6)).toBe(untouched);
  });

  test('is raised when a slot begins to move and when it stops', () => {
    map.apply(clusterView([a(1, [0, LAST]), b(1)]), 0);
    const seen = [map.incarnationOf(5)];
    const moving = [map.isMoving(5, 0)];
    for (const marks of [[5], [5], []]) {
      map.apply(clusterView([a(1, [0, LAST]), b(1)], marks), moving.length);
      seen.push(map.incarnationOf(5));
      moving.push(map.isMoving(5, 0));
    }

    expect(moving).toEqual([false, true, true, false]);
    expect(seen.map((incarnation) => incarnation - (seen[0] as number))).toEqual([0, 1, 1, 2]);
    expect(map.isMoving(4, 0)).toBe(false);
  });

  test('is moving while either of the two nodes says so', () => {
    map.apply(clusterView([a(1, [0, LAST]), b(1)], [5]), 0);
    map.apply(clusterView([b(1), a(1, [0, LAST])], [5]), 1);
    map.apply(clusterView([a(1, [0, LAST]), b(1)]), 2);
    expect(map.isMoving(5, 2)).toBe(true);
    map.apply(clusterView([b(2, [5, 5]), a(1, [0, LAST])]), 3);
    expect(map.isMoving(5, 3)).toBe(false);
  });

  test('is raised by ASK once, and nothing of the slot is cached for a while after the last', () => {
    map.apply(clusterView([a(1, [0, LAST])]), 0);
    const before = map.incarnationOf(5);

    map.asked(5, 100);
    map.asked(5, 600);

    expect(map.incarnationOf(5)).toBe(before + 1);
    expect([map.isMoving(5, 600 + WINDOW_MS - 1), map.isMoving(5, 600 + WINDOW_MS)]).toEqual([true, false]);
    map.asked(5, 600 + WINDOW_MS);
    expect(map.incarnationOf(5)).toBe(before + 2);
    expect(owner(5)).toBe('a');
  });

  test('wraps after 65,536', () => {
    map.apply(clusterView([a(1, [0, LAST])]), 0);
    const before = map.incarnationOf(5);
    for (let i = 0; i < 65_536; i++) map.asked(5, i * WINDOW_MS);
    expect(map.incarnationOf(5)).toBe(before);
  });
});

describe('MOVED', () => {
  beforeEach(() => {
    map.apply(clusterView([a(5, [0, LAST]), b(2), c(3)]), 0);
  });

  test('gives the slot to that node at once, and nothing of it is cached for a while', () => {
    const [version, incarnation] = [map.version, map.incarnationOf(7)];

    moved(7, 'b', 100);

    expect([owner(6), owner(7)]).toEqual(['a', 'b']);
    expect(map.version).toBe(version + 1);
    expect(map.incarnationOf(7)).not.toBe(incarnation);
    expect(map.isMoving(7, 100)).toBe(true);
    expect(map.isMoving(7, 100 + WINDOW_MS)).toBe(false);
  });

  test('to the owner that is known changes no owner, but what was cached is gone', () => {
    const [version, incarnation] = [map.version, map.incarnationOf(7)];
    moved(7, 'a', 100);
    expect([owner(7), map.version]).toEqual(['a', version]);
    expect(map.incarnationOf(7)).not.toBe(incarnation);
  });

  test('may name a node by its host name', () => {
    map.apply(clusterView([a(5, [0, LAST]), { ...b(2), hostname: 'b.svc' }, c(3)]), 1);
    expect(map.moved(7, 'b.svc', portOfNode('b'), 100)).toBe([...map.nodes.values()][1]);
  });

  test('is not taken back by what others say who have not heard of it', () => {
    moved(7, 'b', 100);
    map.apply(clusterView([c(3), a(5, [0, LAST]), b(2)]), 200);
    expect(owner(7)).toBe('b');
  });

  test('is not taken back by what was asked before it', () => {
    moved(7, 'b', 100);
    map.apply(clusterView([a(5, [0, LAST]), b(2), c(3)]), 99);
    expect(owner(7)).toBe('b');
  });

  test.each([
    ['the owner says that the slot is still its', [a(5, [0, LAST]), b(2), c(3)], 'a'],
    ['that node says that the slot is not its', [b(2), a(5, [0, LAST]), c(3)], 'a'],
    ['that node says that the slot is its', [b(9, [7, 7]), a(5, [0, LAST]), c(3)], 'b'],
    ['anybody knows of a higher epoch', [c(3), a(5), b(2), { name: 'd', epoch: 6, slots: [[0, LAST]] }], 'd'],
  ] as [string, NodeSketch[], string][])('is settled when %s', (_, view, expected) => {
    moved(7, 'b', 100);
    map.apply(clusterView(view), 100);
    expect(owner(7)).toBe(expected);
    // It is forgotten: an epoch that settled nothing while it stood decides now.
    map.apply(
      clusterView([c(3), a(5, [0, 6]), b(2, [7, 7]), { name: 'd', epoch: 10, slots: [[7, 7]] }]),
      101,
    );
    expect(owner(7)).toBe('d');
  });

  test('does not turn the owner for ever where nodes redirect to each other', () => {
    const before = map.version;
    for (let i = 0; i < 100; i++) moved(7, i % 2 === 0 ? 'b' : 'a', 100 + i);
    expect(map.version).toBe(before + 5);
    expect(map.incarnationOf(7)).toBeLessThanOrEqual(10);

    map.apply(clusterView([c(3), a(5, [0, LAST]), b(2)]), 300);
    moved(7, owner(7) === 'a' ? 'b' : 'a', 301);
    expect(map.version).toBe(before + 6);
  });

  test('may name a node that no view knows, which stays the same node when one does', () => {
    const stranger = map.moved(7, LOCALHOST, portOfNode('d'), 100);
    expect(stranger.id).toBe('');
    expect(map.nodes.size).toBe(3);
    expect(map.moved(8, LOCALHOST, portOfNode('d'), 100)).toBe(stranger);

    const changes = map.apply(
      clusterView([c(3), a(5, [0, 6], [9, LAST]), b(2), { name: 'd', epoch: 6, slots: [[7, 8]] }]),
      200,
    );

    expect(changes).toMatchObject({ slots: 0, added: [stranger], removed: [] });
    expect(map.ownerOf(7)).toBe(stranger);
    expect(stranger.id).not.toBe('');
  });

  test('to a node that no view knows is forgotten with it', () => {
    const stranger = map.moved(7, LOCALHOST, portOfNode('d'), 100);
    const changes = map.apply(clusterView([a(5, [0, LAST]), b(2), c(3)]), 200);
    expect(changes).toMatchObject({ slots: 1, added: [], removed: [stranger] });
    expect(owner(7)).toBe('a');
    expect(map.apply(clusterView([a(5, [0, LAST]), b(2), c(3)]), 300).removed).toEqual([]);
    expect(map.moved(7, LOCALHOST, portOfNode('d'), 400)).not.toBe(stranger);
  });

  test('to a node that is removed is forgotten with it', () => {
    moved(7, 'b', 100);
    map.apply(clusterView([c(3), a(5, [0, LAST])]), LIFE_MS + 1);
    expect(owner(7)).toBe('a');
  });

  test('teaches a map that has no view yet', () => {
    map = new SlotMap({ redirectWindowMs: WINDOW_MS, viewLifeMs: LIFE_MS });
    moved(7, 'b', 100);
    expect([owner(6), owner(7), map.ownedSlots]).toEqual([undefined, 'b', 1]);
  });
});
