// What saferun-lsp says in its own notifications and answers. Everything that came from code under test is text.

export interface Finding {
  rule: string;
  name: string;
  level: string;
  message: string;
  observed?: 'observed' | 'refused' | 'not_reached';
  range: { start: { line: number; column: number }; end: { line: number; column: number } };
}

// A file that the run left in /out, or one that it would have changed. Names were chosen by the code that ran.
export interface Artifact {
  path: string;
  size: number;
  content_base64?: string;
}

export interface Change {
  place: 'workspace' | 'home';
  path: string;
  kind: 'created' | 'modified' | 'deleted';
  after?: { type: string; size: number };
  content_base64?: string;
}

// One thing that a traced run was seen doing. Every text in it was written by the program.
export interface TraceEvent {
  at_us: number;
  kind: 'process' | 'write' | 'delete' | 'secret' | 'network' | 'name' | 'refused';
  call: string;
  what: string;
  verdict: 'allowed' | 'refused';
  count: number;
  file: string | null;
  line: number | null;
  seen: 'kernel' | 'program';
}

export interface Trace {
  events: TraceEvent[];
  unforetold?: number[];
  unavailable?: string;
  total: number;
  left_out: number;
  left_out_by_kind?: Record<string, number>;
}

export interface RunResult {
  id: string;
  status: string;
  message: string;
  exit_code: number | null;
  signal: number | null;
  risk: string;
  findings: Finding[];
  policy: string;
  overridden: boolean;
  limits_hit: string[];
  dropped_bytes: number;
  usage: { wall_ms: number; cpu_ms: number | null; peak_memory_bytes: number | null };
  sandbox: { engine: string; runtime: string; warm: boolean };
  policy_warnings?: string[];
  advice?: string[];
  effects?: { changes: Change[]; complete: boolean; notes: string[] };
  artifacts?: Artifact[];
  artifacts_left_behind?: { files: number; bytes: number; names: string[]; perhaps_more: boolean; why?: string };
  trace?: Trace;
}

export interface Started {
  token: string;
  uri: string;
  title: string;
}

export type RunEvent =
  | { event: 'accepted'; id: string; risk: string; findings: Finding[] }
  | { event: 'started' }
  | { event: 'output'; stream: 'stdout' | 'stderr'; text: string }
  | { event: string };

export interface Happened {
  token: string;
  event: RunEvent;
}

export interface Finished {
  token: string;
  uri: string;
  result?: RunResult;
  report?: string | null;
  error?: string;
}

export interface HistoryItem {
  id: string;
  uri: string | null;
  name: string;
  atMs?: number;
  client?: string;
  status: string | null;
  exitCode: number | null;
  risk: string;
  message: string;
  wallMs: number;
  report: string | null;
}

export interface Status {
  daemon: null | { daemon?: { version?: string }; pools?: Array<{ warm?: number; target?: number }>; policy?: { name?: string; problems?: string[] }; problems?: string[] };
  file: null | { risk: string; findings: number; suppressed: number };
}
