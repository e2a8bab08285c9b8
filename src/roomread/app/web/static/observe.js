'use strict';
// Leads an observer from glance to glance; each answer is kept by the server before the next glance is told.

import { ask as request, read } from './asking.js';

const words = read('words');
const start = read('start');
const API = `/api/observe/${start.lesson}`;
const POLL = 3000; // milliseconds between two looks at a running lesson's state
const TICK = 200; // milliseconds between two looks at the clock
const by = (id) => document.getElementById(id);
const video = by('video');

let who = null; // observer, seconds, whole, live
let standing = null; // as the server told it ...
let asked = 0; // ... and when, by this page's clock
let glance = null; // the one that is looked at or waited for
let paused = false;
let busy = false; // an answer is under way

// --- asking the server ---

async function ask(method, path, body, more = {}) {
  const query = body ? '' : `?${new URLSearchParams({ ...who, ...more })}`;
  try {
    return await (await request(`${API}${path}${query}`, method, body ?? undefined)).json();
  } catch (error) {
    throw error instanceof TypeError ? new Error(words.broken) : error; // no answer came
  }
}

// Runs one request at a time; what goes wrong is told, and nothing moves on.
async function once(work) {
  if (busy) return;
  busy = true;
  try {
    await work();
    complain('');
  } catch (error) {
    complain(error.message);
  } finally {
    busy = false;
  }
}

function take(told, moveOn) {
  standing = told;
  asked = performance.now();
  if (moveOn || !glance) setGlance(told.next);
  show();
}

const answer = (level) =>
  once(async () => {
    if (!answerable()) return;
    flash(level);
    take(await ask('POST', '/codes', { ...who, start: glance.start, seat: glance.seat, level }), true);
  });

const takeBack = () => once(async () => take(await ask('DELETE', '/codes/last'), true));

async function poll() {
  if (busy || paused) return;
  try {
    take(await ask('GET', '', null, { ahead: !glance }), false); // who has a glance is sent to no other one
    complain('');
  } catch (error) {
    complain(error.message);
  }
}

// --- the glance ---

const now = () => (standing.now === null ? NaN : standing.now + (performance.now() - asked) / 1000);
const begun = () => !who.live || now() >= glance.start;
const answerable = () => glance && !paused && !standing.paused && begun();

function setGlance(next) {
  glance = next;
  if (!glance) return;
  say(`${glance.seat === null ? words.look_class : `${words.look_seat} ${glance.seat}`}, ${glance.place} ${glance.clock}`);
  lookAgain();
}

function lookAgain() {
  if (video.hidden || !glance || paused) return;
  video.currentTime = glance.start;
  video.play().catch(() => {});
}

function pause() {
  paused = !paused;
  const button = document.querySelector('[data-do="pause"]');
  button.setAttribute('aria-pressed', String(paused));
  button.firstChild.textContent = `${paused ? words.resume : words.pause} `;
  if (paused) video.pause();
  else if (who.live) once(async () => take(await ask('GET', ''), true));
  else lookAgain();
  show();
}

// --- showing ---

// Seconds into the glance, so far as the page knows; NaN where nothing runs.
function into() {
  if (who.live) return now() - glance.start;
  return video.hidden ? NaN : video.currentTime - glance.start;
}

function show() {
  if (glance && !who.live && !video.hidden && video.currentTime >= glance.end) video.pause();
  const [what, when, share] = describe();
  put('what', what);
  put('when', when);
  put('where', glance && !paused ? glance.place : '');
  by('left').hidden = Number.isNaN(share);
  by('left').value = Number.isNaN(share) ? 0 : share;
  const can = answerable();
  document.querySelectorAll('#answers button, [data-do="skip"]').forEach((button) => (button.disabled = !can));
  drawMap();
  put('count', counted());
  put('last', standing.last ? `${words.last} ${lastWords(standing.last)}` : '');
}

function describe() {
  if (paused) return [words.paused, '', NaN];
  if (standing.over) return [words.over, '', NaN];
  if (standing.paused) return [words.lesson_paused, '', NaN];
  if (!glance) return [standing.total === null ? words.waiting : words.done, '', NaN];
  const seconds = into();
  const length = glance.end - glance.start;
  const [next, look, say] = ['next', 'look', 'say'].map((verb) => wordsOf(verb));
  if (seconds < 0 && who.live) return [next, `${glance.clock} · ${words.starts_in} ${Math.ceil(-seconds)} s`, 0];
  if (seconds >= length) return [say, glance.clock, 1];
  const rest = Number.isNaN(seconds) ? '' : ` · ${Math.ceil(length - Math.max(seconds, 0))} s ${words.left}`;
  return [look, `${glance.clock}${rest}`, Math.max(seconds, 0) / length];
}

function wordsOf(verb) {
  if (glance.seat === null) return words[`${verb}_class`];
  return `${words[`${verb}_seat`]} ${glance.seat}${verb === 'say' ? '?' : ''}`;
}

function counted() {
  const parts = [`${standing.coded} ${words.coded}`, `${standing.skipped} ${words.skipped}`];
  if (standing.total !== null) parts.push(`${standing.total - standing.coded - standing.skipped} ${words.remaining}`);
  return parts.join(', ');
}

function lastWords(last) {
  const whom = last.seat === null ? words.class : `${words.seat} ${last.seat}`;
  return `${last.clock}, ${whom}: ${last.level === null ? words.skipped_it : `${words.level} ${last.level + 1}`}`;
}

let drawn = '';

function drawMap() {
  const here = glance && !paused ? glance.seat : null;
  const key = JSON.stringify([standing.seats, here]);
  if (key === drawn) return;
  drawn = key;
  const map = by('map');
  map.toggleAttribute('hidden', !standing.seats.length); // an SVG has no property of that name
  map.setAttribute('aria-label', glance ? `${words.map} ${glance.place}` : words.map);
  map.replaceChildren(...standing.seats.map((seat) => seatMark(seat, seat.seat === here)));
}

function seatMark(seat, here) {
  const make = (name, values) => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    Object.entries(values).forEach(([key, value]) => made.setAttribute(key, value));
    return made;
  };
  const group = make('g', { transform: `translate(${8 + 144 * seat.across} ${8 + 74 * seat.down})`, class: here ? 'here' : '' });
  const text = make('text', {});
  text.textContent = seat.seat;
  group.append(make('circle', { r: here ? 7 : 5 }), text);
  return group;
}

function put(id, text) {
  if (by(id).textContent !== text) by(id).textContent = text;
}

function say(text) {
  by('told').textContent = text;
}

function complain(text) {
  by('wrong').textContent = text;
  by('wrong').hidden = !text;
}

function flash(level) {
  const button = document.querySelector(`#answers button[data-level="${level}"]`);
  if (!button) return;
  button.classList.add('chosen');
  setTimeout(() => button.classList.remove('chosen'), 250);
}

// --- beginning ---

function begin(event) {
  event.preventDefault();
  const given = new FormData(by('setup'));
  who = {
    observer: given.get('observer').trim(),
    seconds: Number(given.get('seconds')),
    whole: Boolean(given.get('whole')),
    live: start.live,
  };
  once(async () => {
    const told = await ask('GET', '');
    makeAnswers(Number(given.get('levels')));
    openVideo();
    by('before').hidden = true;
    by('stage').hidden = false;
    by('stage').focus();
    take(told, true);
    setInterval(() => show(), TICK);
    if (start.live) setInterval(poll, POLL);
  }).then(() => {
    if (by('stage').hidden) by('setup').after(by('wrong')); // what went wrong is told where the form is
    else by('controls').after(by('wrong'));
  });
}

function makeAnswers(levels) {
  const names = words.names[levels] || [];
  by('answers').replaceChildren(
    ...Array.from({ length: levels }, (_, level) => {
      const button = document.createElement('button');
      const key = document.createElement('kbd');
      key.textContent = level + 1;
      button.type = 'button';
      button.dataset.level = level;
      button.append(key, ` ${names[level] || ''}`);
      if (!names[level]) button.setAttribute('aria-label', `${words.level} ${level + 1}`);
      return button;
    }),
  );
}

function openVideo() {
  const file = by('film')?.files[0];
  if (!file) return;
  video.hidden = false;
  document.querySelector('[data-do="again"]').hidden = false;
  video.src = URL.createObjectURL(file);
  video.addEventListener('loadedmetadata', () => {
    if (video.duration + 1 < start.end) complain(`${words.video_short} ${Math.round(video.duration)} s.`);
    lookAgain();
  });
  video.addEventListener('error', () => {
    video.hidden = true;
    document.querySelector('[data-do="again"]').hidden = true;
    complain(words.video_bad);
    show();
  });
}

// --- keys and buttons ---

const doing = { skip: () => answer(null), pause, back: takeBack, again: lookAgain };
const keys = { s: 'skip', ' ': 'skip', p: 'pause', Backspace: 'back', r: 'again' };

function press(event) {
  const at = document.activeElement;
  if (by('stage').hidden || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  if (at !== document.body && !by('content').contains(at)) return; // the navigation has its keys for itself
  if (event.key === ' ' && at.closest('button, a')) return; // as everywhere: what has the focus is pressed
  const level = Number(event.key) - 1;
  const name = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (document.querySelector(`#answers button[data-level="${level}"]`)) answer(level);
  else if (name) doing[name]();
  else return;
  event.preventDefault();
}

by('setup').addEventListener('submit', begin);
by('controls').addEventListener('click', (event) => doing[event.target.closest('[data-do]')?.dataset.do]?.());
by('answers').addEventListener('click', (event) => {
  const level = event.target.closest('[data-level]')?.dataset.level;
  if (level !== undefined) answer(Number(level));
});
document.addEventListener('keydown', press);
