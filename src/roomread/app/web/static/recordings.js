'use strict';
// Sends recordings one after the other, and shows how far each is while something waits or runs.

import { errorOf, read } from './asking.js';

const words = read('words');
const EVERY = 1000; // milliseconds between two looks at the queue
const UPLOAD = '/api/recordings';
const by = (id) => document.getElementById(id);
const form = by('add');
const file = by('file');
let { room } = read('start');
let sending = null; // the request that is under way
let changing = false; // a recording is being cancelled, removed or tried again

// --- choosing ---

function showChosen() {
  const names = [...file.files].map((each) => each.name);
  const line = by('drop').querySelector('.note');
  line.textContent = names.length ? `${words.chosen} ${names.join(', ')}` : words.drop_words;
}

function drop(event) {
  event.preventDefault();
  by('drop').classList.remove('over-it');
  if (sending) return;
  if (!event.dataTransfer.files.length) return complain(words.not_files);
  complain('');
  file.files = event.dataTransfer.files;
  showChosen();
}

function over(event) {
  event.preventDefault();
  by('drop').classList.toggle('over-it', event.type === 'dragover');
}

// --- sending ---

async function send(event) {
  event.preventDefault();
  complain('');
  setSending(true);
  for (const each of [...file.files]) {
    const problem = await sendOne(each);
    if (problem) {
      complain(problem);
      break;
    }
    forget(each);
    say(`${words.added} ${each.name}`);
    await look();
  }
  setSending(false);
  if (by('wrong').hidden) by('queue').scrollIntoView({ block: 'nearest' });
}

// Takes a file that was sent from those that are chosen, so that a second try sends the others alone.
function forget(sent) {
  const left = new DataTransfer();
  [...file.files].filter((each) => each !== sent).forEach((each) => left.items.add(each));
  file.files = left.files;
  showChosen();
}

function setSending(on) {
  by('send').disabled = on;
  file.disabled = on;
  by('abort').hidden = !on;
  by('upload').hidden = !on;
  if (!on) sending = null;
}

function address(name) {
  const given = new FormData(form);
  const values = { name, purpose: given.get('purpose'), notice: 'read', fps: given.get('fps') || '5' };
  const reference = (given.get('reference') || '').trim();
  if (reference && values.purpose === 'research') values.reference = reference;
  return `${UPLOAD}?${new URLSearchParams(values)}`;
}

// Resolves to nothing, or to what went wrong in words.
function sendOne(each) {
  if (each.size > room) return Promise.resolve(`${each.name} ${words.too_large} ${(room / 1e9).toFixed(1)} GB.`);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    sending = request;
    request.open('POST', address(each.name));
    request.setRequestHeader('content-type', 'application/octet-stream');
    request.upload.onprogress = (event) => showSent(each.name, event.loaded, event.total);
    request.onload = () => resolve(request.status === 201 ? '' : errorOf(request.responseText) || words.broken);
    request.onerror = () => resolve(words.broken);
    request.onabort = () => resolve(words.aborted);
    showSent(each.name, 0, each.size);
    request.send(each);
  });
}

function showSent(name, sent, total) {
  by('uploaded').value = total ? sent / total : 0;
  const what = sent < total ? words.uploading : words.checking;
  by('uploading').textContent = `${what}: ${name}, ${(sent / 1e6).toFixed(0)} / ${(total / 1e6).toFixed(0)} MB`;
}

function complain(text) {
  by('wrong').textContent = text;
  by('wrong').hidden = !text;
}

function say(text) {
  by('told').textContent = text;
}

// --- the queue ---

let shape = null; // what the list is made of: when it changes, the list is asked for anew
let timer = null;
let states = new Map([...document.querySelectorAll('#list li')].map((row) => [Number(row.dataset.number), row.dataset.state]));

async function look() {
  clearTimeout(timer);
  let found;
  try {
    const answer = await fetch(UPLOAD);
    if (!answer.ok) throw new Error(String(answer.status));
    found = await answer.json();
  } catch {
    timer = setTimeout(look, 5 * EVERY); // the server may be back soon
    return;
  }
  room = found.room;
  const rows = found.recordings.map((each) => [each.number, each.state, each.lesson, each.message, each.kept]);
  const now = JSON.stringify([found.held, rows]);
  if (now !== shape) {
    await redraw();
    shape = now;
  }
  found.recordings.filter((each) => each.state === 'running').forEach(showProgress);
  tellChanges(found.recordings);
  if (found.recordings.some((each) => ['waiting', 'running'].includes(each.state))) timer = setTimeout(look, EVERY);
}

async function redraw() {
  const answer = await fetch('/recordings/list');
  if (!answer.ok) return;
  const { remove, again } = document.activeElement?.dataset ?? {};
  const focused = remove || again;
  by('list').innerHTML = await answer.text(); // made by our own template, in which every name is escaped
  if (focused) (document.querySelector(`[data-remove="${focused}"]`) || by('queue')).focus();
}

function showProgress(each) {
  const row = document.querySelector(`li[data-number="${each.number}"]`);
  const bar = row?.querySelector('progress');
  if (!bar) return;
  const seconds = Math.round(each.done);
  const clock = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  if (each.length) {
    bar.max = each.length;
    bar.value = each.done;
  }
  row.querySelector('.done').textContent = each.length ? `${Math.floor((100 * each.done) / each.length)}%` : clock;
}

function tellChanges(recordings) {
  for (const each of recordings) {
    const before = states.get(each.number);
    if (before && before !== each.state) say(`${each.name}: ${words.state[each.state]}`);
  }
  states = new Map(recordings.map((each) => [each.number, each.state]));
}

// Tries a recording again, cancels or removes it.
async function change(event) {
  const button = event.target.closest('[data-remove], [data-again]');
  if (!button || changing) return;
  const { again, name, pending, remove } = button.dataset;
  if (pending !== undefined && !window.confirm(`${words.cancel_sure} ${name}`)) return;
  changing = true; // a button that is disabled would lose the focus, which goes on to its row
  const path = again ? `${UPLOAD}/${again}/again` : `${UPLOAD}/${remove}`;
  try {
    const answer = await fetch(path, { method: again ? 'POST' : 'DELETE' });
    if (!answer.ok && answer.status !== 404) complain(errorOf(await answer.text()) || words.broken);
    await look();
  } finally {
    changing = false;
  }
}

file.addEventListener('change', showChosen);
form.addEventListener('submit', send);
by('abort').addEventListener('click', () => sending?.abort());
by('list').addEventListener('click', change);
by('drop').addEventListener('drop', drop);
by('drop').addEventListener('dragover', over);
by('drop').addEventListener('dragleave', over);
by('queue').tabIndex = -1;
form.addEventListener('change', () => {
  by('reference-field').hidden = form.elements.purpose.value === 'self-study';
});
window.addEventListener('beforeunload', (event) => {
  if (sending) event.preventDefault();
});
look();
