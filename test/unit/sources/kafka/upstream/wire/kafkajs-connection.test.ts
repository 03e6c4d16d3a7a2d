import { describe, expect, it, vi } from 'vitest';
import { Encoder } from '../../../../../../src/sources/kafka/upstream/protocol/encoder.ts';
import { metadata } from '../../../../../../src/sources/kafka/upstream/protocol/metadata.ts';
import { frame, scriptedBroker } from '../../../../../support/kafka/scripted-broker.ts';
import { anyAnswer, anyRequest, dialing, longMs } from './dialing.ts';

const unavailable = (message: RegExp) =>
  expect.objectContaining({
    name: 'ScalerError',
    code: 'unavailable',
    message: expect.stringMatching(message),
  });

/** The broker's side of every socket is gone. None stays half open. */
const socketsGone = (broker: { sockets: Set<unknown> }) =>
  vi.waitFor(() => expect(broker.sockets.size).toBe(0));

describe('a wire', () => {
  it('answers several requests under way, in any order of answers', async () => {
    const waiting: (() => void)[] = [];
    const broker = await scriptedBroker({
      script: ({ apiKey, body, reply }) => {
        if (apiKey !== 3) return false;
        const [topic = ''] = body.array((reader) => reader.string());
        const answer = new Encoder()
          .int32(0)
          .array([], () => {})
          .int16(-1)
          .int32(1);
        answer.array([topic], (to, name) =>
          to
            .int16(0)
            .string(name)
            .boolean(false)
            .array([], () => {}),
        );
        waiting.unshift(() => reply(answer.finish()));
        if (waiting.length === 2) for (const answerOne of waiting) answerOne();
        return true;
      },
    });
    const { dial, counted } = dialing();
    const wire = await dial(broker.address);
    const answers = await Promise.all(
      ['a', 'b'].map((topic) => wire.send(metadata({ topics: [topic] }), longMs)),
    );
    expect(answers.map(({ topics }) => topics[0]?.topic)).toEqual(['a', 'b']);
    expect(wire.takes(metadata({ topics: [] }))).toBe(true);
    expect(counted).toEqual(['ApiVersions ok', 'Metadata ok', 'Metadata ok']);
  });

  it('destroys the socket if an answer does not come, with all requests under way on it', async () => {
    const broker = await scriptedBroker({ script: () => false });
    const { dial, counted } = dialing();
    const wire = await dial(broker.address);
    const patient = wire.send(anyRequest, longMs);
    const hasty = wire.send(anyRequest, 20);
    const dropped = unavailable(/does not answer ListOffsets within 20 ms; its socket is dropped/);
    await expect(hasty).rejects.toThrow(dropped);
    await expect(patient).rejects.toThrow(dropped);
    expect(wire.closed).toBe(true);
    await expect(wire.send(anyRequest, longMs)).rejects.toThrow(dropped);
    expect(counted).toEqual(['ApiVersions ok', 'ListOffsets error', 'ListOffsets error']);
    await socketsGone(broker);
  });

  it('says that the broker closed it in the middle of an answer', async () => {
    const broker = await scriptedBroker({
      script: ({ apiKey, socket }) => {
        if (apiKey !== anyRequest.apiKey) return false;
        socket.end(Buffer.from([0, 0, 0, 50, 0, 0]));
        return true;
      },
    });
    const wire = await dialing().dial(broker.address);
    await expect(wire.send(anyRequest, longMs)).rejects.toThrow(unavailable(/closed the connection/));
    expect(wire.closed).toBe(true);
  });

  it('refuses an unreadable answer, and does not trust the socket again', async () => {
    const broker = await scriptedBroker({
      script: ({ apiKey, reply }) => {
        if (apiKey !== anyRequest.apiKey) return false;
        reply(Buffer.from([0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff]));
        return true;
      },
    });
    const wire = await dialing().dial(broker.address);
    await expect(wire.send(anyRequest, longMs)).rejects.toThrow(unavailable(/ListOffsets v3: .* malformed/));
    expect(wire.closed).toBe(true);
    await socketsGone(broker);
  });

  it('sends nothing that the broker does not support', async () => {
    const old = new Encoder()
      .int16(0)
      .array([2], (to, key) => to.int16(key).int16(0).int16(1))
      .int32(0)
      .finish();
    const broker = await scriptedBroker({
      script: ({ reply }) => {
        reply(old);
        return true;
      },
    });
    const wire = await dialing().dial(broker.address);
    await expect(wire.send(anyRequest, longMs)).rejects.toThrow(
      unavailable(
        /takes ListOffsets in v0 to v1, and the scaler speaks v2 to v3: Kafka 0\.11 or newer is needed/,
      ),
    );
    await expect(wire.send(metadata({ topics: [] }), longMs)).rejects.toThrow(
      unavailable(/takes Metadata not at all/),
    );
    expect(broker.received).toHaveLength(1);
    expect(wire.closed).toBe(false);
  });

  it('is closed with its requests, at once, and once', async () => {
    const broker = await scriptedBroker({ script: () => false });
    const wire = await dialing().dial(broker.address);
    const sent = wire.send(anyRequest, longMs);
    wire.close();
    wire.close();
    await expect(sent).rejects.toThrow(unavailable(/its wire is closed/));
    await socketsGone(broker);
  });

  it('sends nothing while the broker throttles, and has no timer once nothing waits (KIP-219)', async () => {
    const broker = await scriptedBroker({
      script: ({ apiKey, reply }) => {
        if (apiKey !== anyRequest.apiKey) return false;
        reply(anyAnswer(7000));
        return true;
      },
    });
    const wire = await dialing().dial(broker.address);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
    try {
      expect((await wire.send(anyRequest, longMs)).throttleTimeMs).toBe(7000);
      expect(vi.getTimerCount()).toBe(0);
      // Its own time starts only at the end of the throttle.
      const throttled = wire.send(anyRequest, 1000);
      await vi.advanceTimersByTimeAsync(6900);
      expect(broker.received).toHaveLength(2);
      await vi.advanceTimersByTimeAsync(200);
      await throttled;
      expect(broker.received).toHaveLength(3);
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it('sets no timer while it is idle', async () => {
    const broker = await scriptedBroker({
      script: ({ apiKey, reply }) => {
        if (apiKey !== anyRequest.apiKey) return false;
        reply(anyAnswer());
        return true;
      },
    });
    const wire = await dialing().dial(broker.address);
    await wire.send(anyRequest, longMs);
    const setTimer = vi.spyOn(globalThis, 'setTimeout');
    const setTicker = vi.spyOn(globalThis, 'setInterval');
    try {
      // Sleeps without setTimeout. Unpatched kafkajs would set dozens of timers meanwhile.
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
      for (let turn = 0; turn < 200; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      expect(setTimer).not.toHaveBeenCalled();
      expect(setTicker).not.toHaveBeenCalled();
    } finally {
      setTimer.mockRestore();
      setTicker.mockRestore();
    }
  });
});

describe('dialing', () => {
  it('gives up on a broker that hangs after accept, and leaves no socket', async () => {
    const broker = await scriptedBroker({ script: () => true });
    const dial = dialing({ tls: false }, 50).dial(broker.address);
    await expect(dial).rejects.toThrow(unavailable(/does not accept the connection within 50 ms/));
    await socketsGone(broker);
  });

  it.each([
    ['a negative length', Buffer.from([0xff, 0xff, 0xff, 0xfe])],
    ['a length of null', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['an answer too short for its correlation id', frame(Buffer.from([1]))],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a TLS alert', Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x50])],
  ])('survives a server that answers with %s', async (_, greeting) => {
    const broker = await scriptedBroker({ greeting });
    await expect(dialing().dial(broker.address)).rejects.toThrow(
      unavailable(/does not speak Kafka's protocol here/),
    );
    await socketsGone(broker);
  });

  it('reports that nobody listens', async () => {
    await expect(dialing().dial('127.0.0.1:1')).rejects.toThrow(
      unavailable(/127\.0\.0\.1:1 refuses the connection/),
    );
  });

  it('refuses an invalid address', async () => {
    await expect(dialing().dial('nowhere')).rejects.toThrow(unavailable(/"nowhere" is not a host:port/));
  });

  it('reports that a broker is too old to list its versions', async () => {
    const broker = await scriptedBroker({
      script: ({ reply }) => {
        reply(
          new Encoder()
            .int16(35)
            .array([], () => {})
            .finish(),
        );
        return true;
      },
    });
    await expect(dialing().dial(broker.address)).rejects.toThrow(
      unavailable(/ApiVersions .* UNSUPPORTED_VERSION/),
    );
  });
});
