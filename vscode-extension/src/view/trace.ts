// What a traced run was seen doing, first what no finding predicted, then the rest, each in the order of time: when, where, what, and what became of it. Text only.

import type { RunResult, Trace, TraceEvent } from '../protocol';

// Further events are in the account of `saferunctl show`.
const MOST = 500;

const VERBS: Record<TraceEvent['kind'], string> = {
  process: 'start',
  write: 'write',
  delete: 'delete',
  secret: 'look for a secret',
  network: 'connect',
  name: 'look up',
  refused: 'call',
};

const LIMITS = ['timeout', 'oom', 'pids_exhausted', 'disk_full', 'output_capped'];

export interface Row {
  name: 'refused' | 'secret' | 'allowed';
  time: string;
  line: number | undefined;
  place: string;
  what: string;
  outcome: string;
}

export function rows(trace: Trace, script: string): Row[] {
  const surprising = new Set(trace.unforetold ?? []);
  const all = trace.events.map((event, index) => ({ event, index }));
  const ordered = [...all.filter(({ index }) => surprising.has(index)), ...all.filter(({ index }) => !surprising.has(index))];
  return ordered.slice(0, MOST).map(({ event, index }) => {
    const refused = event.verdict === 'refused';
    const own = event.file === script || event.file === null;
    const line = event.line ?? 0;
    const notes = [
      event.count > 1 ? `${event.count} times` : '',
      surprising.has(index) ? 'not predicted' : '',
      event.seen === 'program' ? 'by its own word' : '',
    ];
    return {
      name: refused ? 'refused' : event.kind === 'secret' ? 'secret' : 'allowed',
      time: `${(event.at_us / 1000).toFixed(1)} ms`,
      line: own && line > 0 ? line : undefined,
      place: line > 0 ? (own ? `line ${line}` : `${event.file}:${line}`) : '',
      what: `${VERBS[event.kind] ?? event.kind} ${event.what} (${event.call})`,
      outcome: [refused ? 'refused' : 'let through', ...notes].filter(Boolean).join(', '),
    };
  });
}

// What ended it, where that was a limit: the last line.
export function limit(result: RunResult): Row | undefined {
  if (!LIMITS.includes(result.status)) {
    return undefined;
  }
  const time = `${result.usage.wall_ms.toFixed(1)} ms`;
  return { name: 'refused', time, line: undefined, place: '', what: result.message, outcome: 'ended there' };
}

// The heading, and what the list does not say.
export function summary(trace: Trace): { title: string; notes: string[] } {
  const refused = trace.events.filter((event) => event.verdict === 'refused').length;
  const decoys = trace.events.filter((event) => event.kind === 'secret').length;
  const parts = [`${trace.total} seen`, refused > 0 ? `${refused} refused` : '', decoys > 0 ? `${decoys} after secrets` : ''];
  const hidden = Math.max(0, trace.events.length - MOST);
  const lost = Object.entries(trace.left_out_by_kind ?? {}).map(([kind, count]) => `${count} (${VERBS[kind as TraceEvent['kind']] ?? kind})`);
  const nothing = trace.unavailable ? 'what it did is not known: nobody told of it' : 'it started nothing, changed no file, reached for no address';
  return {
    title: trace.total === 0 ? `What it tried: ${nothing}` : `What it tried: ${parts.filter(Boolean).join(', ')}`,
    notes: [
      trace.unavailable ? `The trace is not the kernel's: ${trace.unavailable}` : '',
      hidden > 0 ? `${hidden} more are not shown` : '',
      trace.left_out > 0 ? `Not told for want of room: ${lost.join(', ') || trace.left_out}; that one of them is not told proves nothing` : '',
    ].filter(Boolean),
  };
}
