// Shows what /events tells, and changes only what is different: nothing flickers or loses focus.

const rows = document.getElementById('rows');
const sum = document.getElementById('sum');
const said = document.getElementById('said');
const name = document.getElementById('name');
const level = document.getElementById('level');
const word = document.getElementById('word');
const log = document.getElementById('log');
const shown = new Map();
let logged = '';

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function span(seconds) {
  for (const [unit, size] of [['d', 86400], ['h', 3600], ['min', 60]]) {
    if (seconds >= size) return `${Math.round(seconds / size)} ${unit}`;
  }
  return `${seconds} s`;
}

function make(tag, parent, className = '', label = '') {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (label) element.dataset.label = label;
  parent.append(element);
  return element;
}

function rowOf(process) {
  const line = make('tr', rows);
  const head = make('th', line);
  head.scope = 'row';
  head.textContent = process.name;
  const cell = make('td', line);
  const state = make('span', cell, 'state');
  const note = make('span', cell, 'note');
  const place = make('td', line, '', 'Port');
  if (process.opens) {
    const link = make('a', place);
    link.href = process.address;
    link.textContent = process.port;
  } else {
    place.textContent = process.port;
  }
  const parts = { state, note };
  parts.restarts = make('td', line, 'number', 'Restarts');
  parts.uptime = make('td', line, 'number', 'Up for');
  parts.memory = make('td', line, 'number', 'Memory');
  parts.cpu = make('td', line, 'number', 'CPU');
  const button = make('button', make('td', line, 'do'));
  button.type = 'button';
  button.textContent = 'Restart';
  button.setAttribute('aria-label', `Restart ${process.name}`);
  button.addEventListener('click', () => restart(process.name));
  const option = make('option', name);
  option.textContent = process.name;
  shown.set(process.name, parts);
  return parts;
}

function show(processes) {
  for (const process of processes) {
    const parts = shown.get(process.name) ?? rowOf(process);
    const kind = `state ${process.status.replaceAll(' ', '-')}`;
    if (parts.state.className !== kind) parts.state.className = kind;
    put(parts.state, process.status);
    put(parts.note, process.note);
    put(parts.restarts, String(process.restarts));
    put(parts.uptime, process.pid ? span(process.uptime) : '–');
    put(parts.memory, process.pid ? `${process.memory.toFixed(0)} MiB` : '–');
    put(parts.cpu, process.cpu === null ? '–' : `${process.cpu.toFixed(0)} %`);
  }
  const ready = processes.filter((process) => process.status === 'ready').length;
  const memory = processes.reduce((total, process) => total + process.memory, 0);
  put(sum, `${ready} of ${processes.length} processes answer · ${memory.toFixed(0)} MiB`);
}

async function showLog() {
  if (!name.value) return;
  const asked = new URLSearchParams({ name: name.value, level: level.value, word: word.value });
  const answer = await fetch(`/log?${asked}`).catch(() => null);
  if (!answer?.ok) return;
  const text = await answer.text();
  const key = `${asked}\n${text}`;
  if (key === logged) return;
  logged = key;
  const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  log.replaceChildren(
    ...JSON.parse(text).map((line) => {
      const element = document.createElement('div');
      if (line.level !== 'info') element.className = line.level;
      make('time', element).textContent = line.at;
      element.append(line.text);
      if (/^[0-9a-f]{32}$/.test(line.trace)) {
        element.append(' ');
        const link = make('a', element);
        link.href = `/traces/${line.trace}`;
        link.textContent = 'trace';
      }
      return element;
    }),
  );
  if (!log.firstChild) log.textContent = 'No line fits.';
  if (atEnd) log.scrollTop = log.scrollHeight;
}

async function restart(process) {
  put(said, `Starting ${process} again…`);
  const answer = await fetch('/restart', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name: process }),
  }).catch(() => null);
  const why = answer === null ? 'the workspace does not answer' : (await answer.json()).detail;
  put(said, answer?.ok ? `${process} was told to start again.` : `Not restarted: ${why}.`);
}

for (const input of [name, level, word]) input.addEventListener('input', showLog);
document.getElementById('filter').addEventListener('submit', (event) => event.preventDefault());

const events = new EventSource('/events');
events.addEventListener('message', (event) => {
  show(JSON.parse(event.data));
  showLog();
});
events.addEventListener('error', () => put(sum, 'The workspace does not answer; trying again…'));
