// The page of the run view. Everything is put in as text; there is no HTML made of anything that ran.

import type { Artifact, RunResult, Trace } from '../protocol';
import { picture } from './picture';
import { limit, rows, summary, type Row } from './trace';

type Effects = NonNullable<RunResult['effects']>;

interface Message {
  kind: string;
  token: string;
  uri?: string;
  script?: string;
  title?: string;
  error?: string;
  event?: { event: string; stream?: string; text?: string; risk?: string };
  task?: boolean;
  good?: boolean;
  message?: string;
  result?: RunResult;
}

declare function acquireVsCodeApi(): { postMessage(message: unknown): void };
const host = acquireVsCodeApi();
const MOST = 1_000_000;

function element(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (!found) {
    throw new Error(id);
  }
  return found;
}

const [empty, head, output, images, facts, notes, tried, changes, findings] = [
  'empty', 'head', 'output', 'images', 'facts', 'notes', 'tried', 'changes', 'findings',
].map(element);
let token = '';
let uri = '';
let size = 0;

function add(parent: HTMLElement, tag: string, text: string, name = ''): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = name;
  parent.append(made);
  return made;
}

function started(message: Message): void {
  token = message.token;
  uri = message.uri ?? '';
  size = 0;
  for (const part of [head, output, images, facts, notes, tried, changes, findings]) {
    part.replaceChildren();
  }
  empty.hidden = true;
  head.className = 'running';
  add(head, 'strong', message.title ?? 'SafeRun');
  add(head, 'span', 'running…', 'state');
  if (!message.task) {
    const stop = add(head, 'button', 'Cancel');
    stop.addEventListener('click', () => host.postMessage({ kind: 'cancel' }));
  }
}

function ended(good: boolean, text: string): void {
  head.className = good ? 'good' : 'bad';
  head.querySelector('button')?.remove();
  const state = head.querySelector('.state');
  if (state) {
    state.textContent = text;
  }
}

function left(artifacts: Artifact[]): void {
  artifacts.slice(0, 50).forEach((artifact, index) => {
    const row = add(images, 'button', '', 'artifact');
    const source = artifact.content_base64 && picture(artifact.content_base64);
    if (source) {
      const image = document.createElement('img');
      image.src = source;
      image.alt = artifact.path;
      row.append(image);
    }
    add(row, 'span', `${artifact.path}, ${(artifact.size / 1024).toFixed(1)} KiB`);
    row.title = 'Save…';
    row.addEventListener('click', () => host.postMessage({ kind: 'artifact', index }));
  });
}

// What did not come back of /out: files by name, or why nothing is known of them.
function missing(lost: NonNullable<RunResult['artifacts_left_behind']>): string {
  const looked = lost.why ?? 'not all of /out could be looked at';
  if (lost.files === 0) {
    return looked.charAt(0).toUpperCase() + looked.slice(1);
  }
  const more = lost.files > lost.names.length ? ` and ${lost.files - lost.names.length} more` : '';
  const files = lost.files === 1 ? '1 file' : `${lost.files} files`;
  return `${files} in /out did not come back: ${lost.names.join(', ')}${more}${lost.perhaps_more ? `; ${looked}` : ''}`;
}

function changed(effects: Effects): void {
  if (effects.changes.length > 0) {
    add(changes, 'div', `What it would have changed${effects.complete ? '' : ', as far as is known'}`, 'title');
  }
  effects.changes.slice(0, 200).forEach((change, index) => {
    const row = add(changes, 'button', '', `finding ${change.kind}`);
    add(row, 'span', change.kind, 'level');
    add(row, 'span', change.place === 'home' ? `~/${change.path}` : change.path);
    if (change.content_base64 !== undefined) {
      row.title = 'Compare';
      row.addEventListener('click', () => host.postMessage({ kind: 'diff', index }));
    }
  });
}

// Behind one line that can be opened: what was refused opens it by itself.
function traced(trace: Trace, script: string, end: Row | undefined): void {
  const { title, notes: said } = summary(trace);
  const all = [...rows(trace, script), ...(end ? [end] : [])];
  const list = add(tried, 'details', '') as HTMLDetailsElement;
  add(list, 'summary', title, 'title');
  list.open = all.some((row) => row.name !== 'allowed');
  for (const row of all) {
    const line = row.line;
    const made = add(list, line === undefined ? 'div' : 'button', '', `event ${row.name}`);
    add(made, 'span', row.time, 'time');
    add(made, 'span', row.place, 'line');
    add(made, 'span', row.what, 'what');
    add(made, 'span', row.outcome, 'outcome');
    if (line !== undefined) {
      made.addEventListener('click', () => host.postMessage({ kind: 'go', uri, line, column: 1 }));
    }
  }
  for (const note of said) {
    add(list, 'div', note, 'note');
  }
}

// What became of a prediction.
const OBSERVED: Record<string, string> = { observed: 'observed', refused: 'tried, and refused', not_reached: 'not reached' };

function happened(message: Message): void {
  const event = message.event;
  if (event?.event !== 'output' || size > MOST) {
    return;
  }
  const text = event.text ?? '';
  size += text.length;
  const below = output.scrollHeight - output.scrollTop - output.clientHeight < 30;
  add(output, 'span', size > MOST ? '\n[more is in the account]' : text, event.stream === 'stderr' ? 'stderr' : '');
  if (below) {
    output.scrollTop = output.scrollHeight;
  }
}

function finished(message: Message): void {
  const result = message.result;
  const good = result?.status === 'completed' && result.exit_code === 0;
  ended(good, message.error ?? result?.message ?? '');
  if (!result) {
    return;
  }
  const memory = result.usage.peak_memory_bytes;
  const shown: Array<[string, string]> = [
    ['Outcome', result.status + (result.exit_code === null ? '' : `, exit code ${result.exit_code}`)],
    ['Time', `${result.usage.wall_ms.toFixed(1)} ms`],
    ['Memory', memory === null ? 'unknown' : `${(memory / 1048576).toFixed(1)} MiB`],
    ['Risk', result.risk],
    ['Policy', result.policy + (result.overridden ? ', overridden' : '')],
    ['Sandbox', `${result.sandbox.engine} ${result.sandbox.runtime}${result.sandbox.warm ? ', warm' : ''}`],
  ];
  if (result.limits_hit.length > 0) {
    shown.push(['Limits hit', result.limits_hit.join(', ')]);
  }
  if (result.dropped_bytes > 0) {
    shown.push(['Output dropped', `${result.dropped_bytes} bytes`]);
  }
  for (const [name, value] of shown) {
    const fact = add(facts, 'div', '', 'fact');
    add(fact, 'span', name, 'name');
    add(fact, 'span', value, 'value');
  }
  for (const note of [...(result.advice ?? []), ...(result.policy_warnings ?? []), ...(result.effects?.notes ?? [])]) {
    add(notes, 'div', note);
  }
  const lost = result.artifacts_left_behind;
  if (lost) {
    add(notes, 'div', missing(lost));
  }
  left(result.artifacts ?? []);
  if (result.trace) {
    traced(result.trace, message.script ?? '', limit(result));
  }
  if (result.effects) {
    changed(result.effects);
  }
  for (const finding of result.findings.slice(0, 100)) {
    const row = add(findings, 'button', '', `finding ${finding.level.toLowerCase()}`);
    add(row, 'span', finding.level, 'level');
    add(row, 'span', `line ${finding.range.start.line}`, 'line');
    add(row, 'span', finding.message);
    const observed = finding.observed && OBSERVED[finding.observed];
    if (observed) {
      add(row, 'span', observed, 'observed');
    }
    row.addEventListener('click', () => host.postMessage({ kind: 'go', uri, ...finding.range.start }));
  }
  // The account took room from the output: its end stays in sight.
  output.scrollTop = output.scrollHeight;
}

window.addEventListener('message', ({ data }: MessageEvent<Message>) => {
  if (data.kind === 'started') {
    started(data);
  } else if (data.token === token && data.kind === 'ended') {
    ended(data.good === true, data.message ?? '');
  } else if (data.token === token) {
    (data.kind === 'event' ? happened : finished)(data);
  }
});
host.postMessage({ kind: 'ready' });
