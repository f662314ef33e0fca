// The log of a run, as a transcript: what an agent said, thought and did, in the order of its beginning.
//
// Lines of one thing become one entry: a tool's start, its output and its end; the parts of one text. Text that is
// being written arrives as chunks and is replaced by its line. Entries are signals' values in one growing list, so that
// ten thousand of them cost what is on the screen.

import { batch, signal } from '@preact/signals';

import { follow, request } from '../api/client';
import {
  ReplayRunDocument,
  RunDocument,
  RunFeedDocument,
  type RunFeedSubscription,
  type RunQuery,
  type TodoState,
  type ToolKind,
  type ToolStatus,
} from '../api/generated';

export type Run = NonNullable<RunQuery['run']>;
type Item = RunFeedSubscription['runFeed'];

export interface Entry {
  key: string;
  kind: 'text' | 'thinking' | 'tool' | 'prompt' | 'note' | 'warning' | 'error' | 'end';
  at: string;
  agent: string | null;
  text: string;
  /** Grows with every change, so that a view knows. */
  version: number;
  tool?: {
    name: string;
    kind: ToolKind;
    input: unknown;
    status: ToolStatus | null;
    endedAt: string | null;
    output: string;
  };
}

export interface Totals {
  inputTokens: number;
  outputTokens: number;
  cachedTokens: number;
  costUsd: number;
  contextUsed: number | null;
  contextWindow: number | null;
  model: string | null;
}

const MAX_OUTPUT = 40_000; // characters of a tool's output that are kept for the view
const NONE: Totals = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  costUsd: 0,
  contextUsed: null,
  contextWindow: null,
  model: null,
};
const NOTES = new Set(['RunStatusLine', 'RunAttempt', 'RunLimit', 'RunCommitLine', 'RunFileChanged', 'RunSubagent', 'RunQuestion', 'RunApproval', 'RunKnowledge']);

export class OpenRun {
  readonly facts = signal<Run | null>(null);
  readonly failure = signal<string | null>(null);
  /** Its length and `changed` tell a view to look; the array itself stays the same. */
  readonly entries: Entry[] = [];
  readonly changed = signal(0);
  readonly todos = signal<readonly { key: string; state: TodoState; text: string }[]>([]);
  readonly totals = signal<Totals>(NONE);
  readonly isOver = signal(false);
  /** The speed of a replay; null while the log is followed live. */
  readonly speed = signal<number | null>(null);

  private byKey = new Map<string, Entry>();
  private used = new Map<string, Totals>();
  private arrived: Item[] = [];
  private frame: ReturnType<typeof setTimeout> | undefined;
  private stop: () => void = () => {};
  private closed = false;
  private cursor = '0';

  constructor(readonly id: string) {
    void this.load();
    this.listen();
  }

  close(): void {
    this.closed = true;
    this.stop();
    clearTimeout(this.frame);
  }

  async load(): Promise<void> {
    try {
      const { run } = await request(RunDocument, { id: this.id });
      if (this.closed) return;
      this.facts.value = run ?? null;
      this.failure.value = run ? null : 'This run does not exist, or you may not see it.';
    } catch (error) {
      this.failure.value = (error as Error).message;
    }
  }

  /** Show the log from its beginning again, `speed` times as fast as it happened. Null shows all of it. */
  replay(speed: number | null): void {
    this.stop();
    batch(() => {
      this.entries.length = this.arrived.length = 0;
      this.byKey.clear();
      this.used.clear();
      this.todos.value = [];
      this.totals.value = NONE;
      this.isOver.value = false;
      this.speed.value = speed;
      this.cursor = '0';
      this.changed.value++;
    });
    this.listen();
  }

  private listen(): void {
    const speed = this.speed.peek();
    const next = (item: Item) => {
      this.arrived.push(item);
      this.frame ??= setTimeout(() => this.apply(), 16);
    };
    const ended = (code: string | undefined) => {
      if (this.closed || code === 'NOT_FOUND' || code === 'FORBIDDEN' || this.isOver.peek()) return;
      setTimeout(() => !this.closed && !this.isOver.peek() && this.listen(), 1_000);
    };
    this.stop =
      speed === null
        ? follow(RunFeedDocument, { id: this.id, after: this.cursor }, { next: (data) => next(data.runFeed), ended })
        : follow(
            ReplayRunDocument,
            { id: this.id, speed, after: this.cursor === '0' ? null : this.cursor },
            { next: (data) => next(data.replayRun as Item), ended },
          );
  }

  private apply(): void {
    this.frame = undefined;
    const until = performance.now() + 8;
    batch(() => {
      let at = 0;
      while (at < this.arrived.length && (at % 32 || performance.now() < until)) this.show(this.arrived[at++]!);
      this.arrived.splice(0, at);
      this.changed.value++;
    });
    if (this.arrived.length) this.frame = setTimeout(() => this.apply(), 16);
  }

  private entry(key: string, kind: Entry['kind'], item: { at: string; agent?: string | null }): Entry {
    const known = this.byKey.get(key);
    if (known) {
      known.version++;
      return known;
    }
    const made: Entry = { key, kind, at: item.at, agent: item.agent ?? null, text: '', version: 0 };
    this.byKey.set(key, made);
    this.entries.push(made);
    return made;
  }

  private show(item: Item): void {
    this.cursor = item.cursor;
    switch (item.__typename) {
      case 'RunChunk':
        return this.showChunk(item);
      case 'RunOutput':
        if (item.tool) this.addOutput(item.tool, item, item.text);
        else this.entry(`${item.item}/${item.part}`, 'text', item).text = item.text;
        return;
      case 'RunThinking':
        this.entry(`${item.item}/${item.part}`, 'thinking', item).text = item.text;
        return;
      case 'RunToolStarted': {
        const entry = this.entry(`tool ${item.tool ?? item.seq}`, 'tool', item);
        const before = entry.tool;
        entry.text = item.text;
        entry.tool = {
          name: item.name ?? 'tool',
          kind: item.kind,
          input: item.input,
          status: before?.status ?? null,
          endedAt: before?.endedAt ?? null,
          output: before?.output ?? '',
        };
        return;
      }
      case 'RunToolFinished': {
        const entry = this.tool(item.tool ?? String(item.seq), item);
        entry.tool = { ...entry.tool!, status: item.result, endedAt: item.at };
        if (item.text && !entry.tool.output) entry.tool.output = item.text.slice(-MAX_OUTPUT);
        return;
      }
      case 'RunTodo':
        this.todos.value = item.items;
        return;
      case 'RunUsage':
        return this.addUsage(item);
      case 'RunPrompt':
        this.entry(`line ${item.seq}`, 'prompt', item).text = item.text;
        return;
      case 'RunEnded':
        this.entry('end', 'end', item).text = item.summary ?? item.reason ?? item.status;
        this.isOver.value = true;
        void this.load();
        return;
      case 'RunError':
      case 'RunWarning':
        this.entry(`line ${item.seq}`, item.__typename === 'RunError' ? 'error' : 'warning', item).text = item.text;
        return;
      default:
        this.note(item);
    }
  }

  private note(item: Item): void {
    const text = NOTES.has(item.__typename) ? noted(item).trim() : '';
    if (text && this.entries.at(-1)?.text !== text) this.entry(`line ${item.seq}`, 'note', item).text = text;
  }

  private showChunk(item: Extract<Item, { __typename: 'RunChunk' }>): void {
    if (item.type === 'OUTPUT' && item.tool) return; // its line follows
    const kind = item.type === 'THINKING' ? 'thinking' : 'text';
    const entry = this.entry(`${item.item}/${item.part}`, kind, item);
    entry.text = [...entry.text].slice(0, item.offset).join('') + item.chunk;
  }

  private tool(id: string, item: { at: string; agent?: string | null }): Entry {
    const entry = this.entry(`tool ${id}`, 'tool', item);
    entry.tool ??= { name: 'tool', kind: 'OTHER', input: null, status: null, endedAt: null, output: '' };
    return entry;
  }

  private addOutput(id: string, item: { at: string; agent?: string | null }, text: string): void {
    const entry = this.tool(id, item);
    const before = entry.tool!.output;
    const joined = before + (before && !before.endsWith('\n') ? '\n' : '') + text;
    entry.tool = { ...entry.tool!, output: joined.slice(-MAX_OUTPUT) };
  }

  /** A program tells totals of its session, once and again; of several agents the sum is shown. */
  private addUsage(item: Extract<Item, { __typename: 'RunUsage' }>): void {
    this.used.set(`${item.attempt} ${item.agent ?? ''} ${item.model ?? ''}`, {
      inputTokens: item.inputTokens,
      outputTokens: item.outputTokens,
      cachedTokens: item.cachedTokens,
      costUsd: item.costUsd ?? 0,
      contextUsed: item.contextUsed ?? null,
      contextWindow: item.contextWindow ?? null,
      model: item.model ?? null,
    });
    const sum = { ...NONE };
    for (const one of this.used.values()) {
      sum.inputTokens += one.inputTokens;
      sum.outputTokens += one.outputTokens;
      sum.cachedTokens += one.cachedTokens;
      sum.costUsd += one.costUsd;
      sum.contextUsed = one.contextUsed ?? sum.contextUsed;
      sum.contextWindow = one.contextWindow ?? sum.contextWindow;
      sum.model = one.model ?? sum.model;
    }
    this.totals.value = sum;
  }
}

function noted(item: Item): string {
  if (item.__typename === 'RunFileChanged') {
    const size = item.additions == null ? '' : ` +${item.additions} −${item.deletions ?? 0}`;
    return `${item.change.toLowerCase()} ${item.path}${size}`;
  }
  if (item.__typename === 'RunCommitLine') return `${item.what.toLowerCase().replace('_', ' ')} ${item.sha?.slice(0, 8) ?? ''} ${item.text}`;
  if (item.__typename === 'RunSubagent') return `${item.name ?? 'A sub-agent'} ${item.phase.toLowerCase()} ${item.text}`;
  if (item.__typename === 'RunAttempt') return `attempt ${item.number} ${item.phase.toLowerCase()} ${item.text}`;
  return 'text' in item ? item.text : '';
}
