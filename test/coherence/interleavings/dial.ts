import type { FakeSocket, OnRead } from './fake-socket.ts';

/** Who answers `net.connect` while a schedule runs. A test file that runs schedules mocks `node:net` with this. */
export const network: { dial: (options: { onread?: OnRead }) => FakeSocket } = {
  dial: () => {
    throw new Error('no schedule runs');
  },
};
