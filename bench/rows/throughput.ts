import { type BareServer, startBare } from '../support/bare.ts';
import type { NodeProcess } from '../support/child-process.ts';
import { closedLoop } from '../support/load.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import { type Call, metricsCall, RpcConnection } from '../support/rpc-connection.ts';
import { scaledObject } from '../support/scaled-object.ts';
import { median } from '../support/statistics.ts';

const scaledObjects = 100;
const concurrency = 64;
/** Short, so that both sides of a pair of rounds meet the same machine. */
const roundMs = 1500;
const leastRatio = 0.85;

export const throughput: Row = {
  name: 'throughput',
  about: 'GetMetrics a second, against a bare grpc-js server that answers a constant',
  measure,
};

async function measure({ quick, progress, checkout, kafka }: Bench): Promise<Finding[]> {
  const broker = await kafka(1);
  const [topic = ''] = await broker.createTopics('throughput', 1, 1);
  await broker.append(topic);
  const calls = Array.from({ length: scaledObjects }, (_, n) => metricsCall(scaledObject(topic, n)));
  const [scaler, bare] = await Promise.all([checkout.start(broker.bootstrapServers), startBare()]);
  try {
    const ours = await Side.open(scaler, calls);
    const theirs = await Side.open(bare, calls);
    for (let round = 0; round < (quick ? 4 : 15); round++) {
      await theirs.round(roundMs);
      await ours.round(roundMs);
      progress(`bare ${theirs.last} /s, ours ${ours.last} /s`);
    }
    ours.close();
    theirs.close();
    return findings(ours, theirs);
  } finally {
    await Promise.all([scaler.stop(), bare.process.stop()]);
  }
}

function findings(ours: Side, bare: Side): Finding[] {
  const ratio = median(ours.perSecond.map((each, round) => each / (bare.perSecond[round] ?? Number.NaN)));
  const numbers = {
    ratio,
    oursPerSecond: median(ours.perSecond),
    barePerSecond: median(bare.perSecond),
    oursCpuMicrosPerRpc: median(ours.cpuMicros),
    bareCpuMicrosPerRpc: median(bare.cpuMicros),
  };
  const { oursPerSecond, barePerSecond, oursCpuMicrosPerRpc, bareCpuMicrosPerRpc } = numbers;
  return [
    {
      what: `GetMetrics throughput against a bare grpc-js server (${concurrency} at a time)`,
      target: `>= ${leastRatio} x`,
      measured: `${ratio.toFixed(2)} x (${oursPerSecond.toFixed(0)} against ${barePerSecond.toFixed(0)} /s)`,
      met: ratio >= leastRatio,
      numbers,
    },
    {
      what: "server's CPU for a GetMetrics, beside it",
      target: '-',
      measured: `${oursCpuMicrosPerRpc.toFixed(0)} against ${bareCpuMicrosPerRpc.toFixed(0)} us`,
      numbers,
    },
  ];
}

/** One of the two servers, and the results of its rounds. */
class Side {
  readonly perSecond: number[] = [];
  readonly cpuMicros: number[] = [];
  private readonly process: NodeProcess;
  private readonly connection: RpcConnection;
  private readonly calls: readonly Call[];

  static async open({ process, address }: BareServer, calls: readonly Call[]): Promise<Side> {
    const connection = await RpcConnection.open(address);
    const side = new Side(process, connection, calls);
    // By then the code is compiled, and every trigger is known.
    await closedLoop(connection, calls, { concurrency, durationMs: 3000 });
    return side;
  }

  private constructor(process: NodeProcess, connection: RpcConnection, calls: readonly Call[]) {
    this.process = process;
    this.connection = connection;
    this.calls = calls;
  }

  get last(): string {
    return this.perSecond.at(-1)?.toFixed(0) ?? '-';
  }

  async round(durationMs: number): Promise<void> {
    const before = await this.process.cpuSeconds();
    const perSecond = await closedLoop(this.connection, this.calls, { concurrency, durationMs });
    const cpu = (await this.process.cpuSeconds()) - before;
    this.perSecond.push(perSecond);
    this.cpuMicros.push((cpu * 1e6) / ((perSecond * durationMs) / 1000));
  }

  close(): void {
    this.connection.close();
  }
}
