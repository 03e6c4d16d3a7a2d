import { setTimeout as sleep } from 'node:timers/promises';
import { type BareServer, startBare } from '../support/bare.ts';
import { type Turn, turnInWords } from '../support/child-process.ts';
import { Followers } from '../support/followers.ts';
import { inParallel } from '../support/in-parallel.ts';
import type { BenchKafka } from '../support/kafka.ts';
import { openLoop } from '../support/load.ts';
import type { Bench, Finding, Row } from '../support/row.ts';
import * as rpc from '../support/rpc-connection.ts';
import { groupOf, scaledObject } from '../support/scaled-object.ts';
import type { ScalerProcess } from '../support/scaler.ts';
import { scrape } from '../support/scrape.ts';
import { median, quantile } from '../support/statistics.ts';

const topicCount = 100;
const perSecond = 1000;
/** During the load: how often the next topic gets a record, and how often Prometheus scrapes. */
const everyMs = { record: 3000, scrape: 15_000 };
const limits = { turnMs: 50, p99Ms: 15 };
/** Long enough for one or two reconciles of 10,000 subjects. */
const restLimitMs = 180_000;

export const scale: Row = {
  name: 'scale',
  about: 'longest turn, unary p99, memory: 10,000 ScaledObjects on 10,000 groups, and on 100; bytes of each',
  slow: true,
  measure,
};

interface Size {
  readonly scaledObjects: number;
  readonly windowMs: number;
  readonly windows: number;
  /** For the cost in bytes: how many exist before, and how many are added. */
  readonly before: number;
  readonly more: number;
}

// Each window includes a reconcile, which comes every 30 s.
const full: Size = { scaledObjects: 10_000, windowMs: 35_000, windows: 2, before: 1000, more: 4000 };
const small: Size = { scaledObjects: 2000, windowMs: 10_000, windows: 1, before: 200, more: 800 };

interface Scene extends Pick<Bench, 'checkout' | 'progress'> {
  readonly size: Size;
  readonly broker: BenchKafka;
}

/** The groups of each topic. */
type Groups = ReadonlyMap<string, readonly string[]>;
type Reference = ReturnType<typeof scaledObject>;

async function measure({ quick, progress, checkout, kafka }: Bench): Promise<Finding[]> {
  const size = quick ? small : full;
  const broker = await kafka(1);
  const topics = await broker.createTopics('scale', topicCount, 1);
  const each = Array.from({ length: size.scaledObjects / topicCount }, (_, number) => number);
  const distinct = new Map(
    topics.map((topic) => [topic, each.map((number) => `${groupOf(topic)}-${number}`)]),
  );
  const shared = new Map(topics.map((topic) => [topic, [groupOf(topic)]]));
  progress(`committing the offsets of ${size.scaledObjects} groups`);
  await broker.drainGroups(distinct);
  const scene = { size, broker, checkout, progress };
  const costs = await measureCost(scene, distinct);
  const onDistinct = await measureLoad(scene, distinct, { residentMiB: 400 });
  await broker.drainGroups(shared);
  const onShared = await measureLoad(scene, shared, { residentMiB: 350 });
  return [...onDistinct, ...onShared, ...costs];
}

/** First a bare server alone, then ours, under the same streams and calls. */
async function measureLoad(
  scene: Scene,
  groups: Groups,
  { residentMiB }: { residentMiB: number },
): Promise<Finding[]> {
  const references = referencesOn(groups, scene.size.scaledObjects);
  const theirs = await measureBare(scene, references);
  const { ours, around } = await measureOurs(scene, groups, references);
  scene.progress(`bare: ${theirs.summary}`);
  const where = `${references.length} ScaledObjects on ${countOf(groups)} groups`;
  return loadFindings(where, { ours, theirs, around, residentMiB });
}

async function measureBare({ size }: Scene, references: readonly Reference[]): Promise<Side> {
  const bare = await startBare({ probed: true });
  try {
    const side = await Side.open(bare, references);
    for (let window = 0; window < size.windows; window++) await side.window(references, size);
    side.close();
    return side;
  } finally {
    await bare.process.stop();
  }
}

async function measureOurs(scene: Scene, groups: Groups, references: readonly Reference[]) {
  const { size, broker, checkout, progress } = scene;
  const scaler = await checkout.start(broker.bootstrapServers, { probed: true });
  const around = new Surroundings(scene, groups, scaler);
  try {
    const ours = await Side.open(scaler, references);
    for (let window = 0; window < size.windows; window++) {
      progress('waiting until every topic is quiet and watched');
      await scaler.atRest(countOf(groups), restLimitMs);
      await Promise.all([ours.window(references, size), around.window()]);
      progress(ours.summary);
      await around.calm();
    }
    ours.close();
    return { ours, around };
  } finally {
    around.close();
    await scaler.stop();
  }
}

function countOf(groups: Groups): number {
  return [...groups.values()].flat().length;
}

function referencesOn(groups: Groups, count: number): Reference[] {
  return [...groups].flatMap(([topic, names]) =>
    Array.from({ length: count / groups.size }, (_, number) =>
      scaledObject(topic, number, names[number % names.length]),
    ),
  );
}

/** One of the two servers under load. */
class Side {
  /** Of every call. */
  readonly answersMs: number[] = [];
  /** Of each window. */
  readonly turns: Turn[] = [];
  arrivalTurn: Turn = { ms: 0, cpuMs: 0 };
  residentMiB = 0;
  private readonly process: BareServer['process'];
  private readonly connection: rpc.RpcConnection;

  /** Opens both streams of each ScaledObject on one connection, as KEDA does, and lets the code be compiled. */
  static async open({ process, address }: BareServer, references: readonly Reference[]): Promise<Side> {
    const side = new Side(process, await rpc.RpcConnection.open(address));
    await process.longestTurn();
    await inParallel(200, references, (reference) => hold(side.connection, reference));
    side.arrivalTurn = await process.longestTurn();
    await openLoop(side.connection, callsOf(references), { perSecond, durationMs: 5000 });
    return side;
  }

  private constructor(process: BareServer['process'], connection: rpc.RpcConnection) {
    this.process = process;
    this.connection = connection;
  }

  async window(references: readonly Reference[], { windowMs: durationMs }: Size): Promise<void> {
    await this.process.longestTurn();
    this.answersMs.push(...(await openLoop(this.connection, callsOf(references), { perSecond, durationMs })));
    this.turns.push(await this.process.longestTurn());
    this.residentMiB = Math.max(this.residentMiB, await this.process.residentMiB());
  }

  /** The longest by each measure. */
  get turn(): Turn {
    return {
      ms: Math.max(...this.turns.map(({ ms }) => ms)),
      cpuMs: Math.max(...this.turns.map(({ cpuMs }) => cpuMs)),
    };
  }

  get p50Ms(): number {
    return median(this.answersMs);
  }

  get p99Ms(): number {
    return quantile(this.answersMs, 0.99);
  }

  get summary(): string {
    return `longest turn ${turnInWords(this.turn)}, p50 ${this.p50Ms.toFixed(2)}, p99 ${this.p99Ms.toFixed(2)} ms`;
  }

  close(): void {
    this.connection.close();
  }
}

async function hold(connection: rpc.RpcConnection, reference: Reference): Promise<void> {
  await connection.hold(rpc.specStream(reference));
  await connection.hold(rpc.activityStream(reference));
}

/** The calls of KEDA for a ScaledObject in one poll (external_scaler.go and scale_handler.go, v2.21). */
function callsOf(references: readonly Reference[]): rpc.Call[] {
  return references.flatMap((reference) => [
    rpc.metricSpecCall(reference),
    rpc.metricsCall(reference),
    rpc.isActiveCall(reference),
  ]);
}

/**
 * The life around our scaler in a window. A tenth of the topics get records, one after the other. Each record wakes all
 * groups of its topic, which from then on are read every second. And Prometheus scrapes.
 */
class Surroundings {
  readonly wakesMs: number[] = [];
  readonly scrapesMs: number[] = [];
  private readonly scene: Scene;
  private readonly groups: Groups;
  private readonly metricsUrl: string;
  /** On the first ScaledObject of each topic, beside its other stream. */
  private readonly followers: Followers;

  constructor(scene: Scene, groups: Groups, { address, metricsUrl }: ScalerProcess) {
    this.scene = scene;
    this.groups = groups;
    this.metricsUrl = metricsUrl;
    const firsts = [...groups].map(([topic, [group]]) => [topic, scaledObject(topic, 0, group)] as const);
    this.followers = new Followers(address, new Map(firsts));
  }

  async window(): Promise<void> {
    await Promise.all([this.wake(), this.scrape()]);
  }

  /** Commits everything in the woken topics. */
  async calm(): Promise<void> {
    await this.scene.broker.drainGroups(new Map([...this.groups].slice(0, this.wakes)));
  }

  private get wakes(): number {
    return Math.floor(this.scene.size.windowMs / everyMs.record) - 1;
  }

  private async wake(): Promise<void> {
    for (const topic of [...this.groups.keys()].slice(0, this.wakes)) {
      await sleep(everyMs.record);
      const told = this.followers.nextTrue(topic);
      await this.scene.broker.append(topic);
      const acknowledgedMs = performance.now();
      this.wakesMs.push((await told) - acknowledgedMs);
    }
  }

  private async scrape(): Promise<void> {
    const endMs = performance.now() + this.scene.size.windowMs;
    await sleep(everyMs.scrape / 3);
    while (performance.now() < endMs) {
      this.scrapesMs.push((await scrape(this.metricsUrl)).tookMs);
      await sleep(everyMs.scrape);
    }
  }

  close(): void {
    this.followers.close();
  }
}

function loadFindings(
  where: string,
  measured: { ours: Side; theirs: Side; around: Surroundings; residentMiB: number },
): Finding[] {
  const { ours, theirs, around, residentMiB } = measured;
  const { wakesMs, scrapesMs } = around;
  const wakes = { p50Ms: median(wakesMs), maxMs: Math.max(...wakesMs), wakes: wakesMs.length };
  const arrival = `while the streams came ${turnInWords(ours.arrivalTurn)}, bare ${turnInWords(theirs.arrivalTurn)}`;
  return [
    {
      what: `longest turn of the event loop at ${perSecond} RPC/s, ${where}, two streams each`,
      target: `<= ${limits.turnMs} ms of work`,
      measured: `${turnInWords(ours.turn)} (bare ${turnInWords(theirs.turn)}; ${arrival})`,
      met: ours.turn.cpuMs <= limits.turnMs,
      numbers: {
        oursMs: ours.turn.ms,
        oursCpuMs: ours.turn.cpuMs,
        bareMs: theirs.turn.ms,
        bareCpuMs: theirs.turn.cpuMs,
        oursArrivalMs: ours.arrivalTurn.ms,
        oursArrivalCpuMs: ours.arrivalTurn.cpuMs,
        bareArrivalMs: theirs.arrivalTurn.ms,
        scrapeMs: median(scrapesMs),
      },
    },
    {
      what: `unary calls, ${where}`,
      target: `p99 <= ${limits.p99Ms} ms`,
      measured: `p50 ${ours.p50Ms.toFixed(2)}, p99 ${ours.p99Ms.toFixed(2)} ms (bare ${theirs.p50Ms.toFixed(2)}, ${theirs.p99Ms.toFixed(2)})`,
      met: ours.p99Ms <= limits.p99Ms,
      numbers: {
        oursP50Ms: ours.p50Ms,
        oursP99Ms: ours.p99Ms,
        bareP50Ms: theirs.p50Ms,
        bareP99Ms: theirs.p99Ms,
      },
    },
    {
      what: `record acknowledged to \`true\`, ${where}`,
      target: '-',
      measured: `p50 ${wakes.p50Ms.toFixed(1)}, slowest of ${wakes.wakes} ${wakes.maxMs.toFixed(0)} ms`,
      numbers: wakes,
    },
    {
      what: `resident memory, ${where}`,
      target: `<= ${residentMiB} MiB`,
      measured: `${ours.residentMiB.toFixed(0)} MiB (bare ${theirs.residentMiB.toFixed(0)})`,
      met: ours.residentMiB <= residentMiB,
      numbers: { oursMiB: ours.residentMiB, bareMiB: theirs.residentMiB },
    },
  ];
}

interface Bytes {
  readonly heapBytes: number;
  readonly residentBytes: number;
}

/**
 * The cost of each additional item for one scaler: of triggers with groups of their own, of triggers with known groups,
 * and of streams. Each time, all topics are at rest, and garbage has been collected.
 */
async function measureCost({ size, broker, checkout, progress }: Scene, groups: Groups): Promise<Finding[]> {
  const { before, more } = size;
  const scaler = await checkout.start(broker.bootstrapServers, { probed: true });
  const bare = await startBare({ probed: true });
  const all = referencesOn(groups, size.scaledObjects).slice(0, before + more);
  const known = all.slice(before);
  const second = known.map((reference) => ({ ...reference, name: `${reference.name}-second` }));
  try {
    const [ours, theirs] = [
      await rpc.RpcConnection.open(scaler.address),
      await rpc.RpcConnection.open(bare.address),
    ];
    const ask = (references: readonly Reference[]) =>
      inParallel(100, references, (reference) => ours.unary(rpc.metricsCall(reference)));
    const holdAll = (on: rpc.RpcConnection) => inParallel(100, known, (reference) => hold(on, reference));
    const costOf = async (come: () => Promise<void>): Promise<Bytes> => {
      const had = await scaler.process.collected();
      await come();
      await scaler.atRest(before + more, restLimitMs);
      return perEach(had, await scaler.process.collected(), more);
    };
    progress('counting bytes');
    await ask(all.slice(0, before));
    await scaler.atRest(before, restLimitMs);
    const both = await costOf(() => ask(known));
    const trigger = await costOf(() => ask(second));
    const streams = await costOf(() => holdAll(ours));
    const bareBefore = await bare.process.collected();
    await holdAll(theirs);
    const bareStreams = perEach(bareBefore, await bare.process.collected(), more);
    ours.close();
    theirs.close();
    return costFindings({ both, trigger, streams, bareStreams });
  } finally {
    await Promise.all([scaler.stop(), bare.process.stop()]);
  }
}

function perEach(before: Bytes, after: Bytes, count: number): Bytes {
  return {
    heapBytes: (after.heapBytes - before.heapBytes) / count,
    residentBytes: (after.residentBytes - before.residentBytes) / count,
  };
}

function costFindings(cost: Record<'both' | 'trigger' | 'streams' | 'bareStreams', Bytes>): Finding[] {
  const { both, trigger, streams, bareStreams } = cost;
  const subject = {
    heapBytes: both.heapBytes - trigger.heapBytes,
    residentBytes: both.residentBytes - trigger.residentBytes,
  };
  const finding = (what: string, each: Bytes, beside = ''): Finding => ({
    what: `memory of ${what}, by the heap after full collections`,
    target: '-',
    measured: `${kib(each.heapBytes)}${beside}, resident ${kib(each.residentBytes)}`,
    numbers: { ...each },
  });
  const bare = ` (bare ${kib(bareStreams.heapBytes)})`;
  return [
    finding('a subject (a trigger on a group of its own, less one on a known group)', subject),
    finding('a trigger on a known group', trigger),
    finding('the two streams of a trigger', streams, bare),
  ];
}

function kib(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`;
}
