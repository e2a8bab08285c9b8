'use strict';
// The timeline: closer, wider, earlier, later, by buttons, keys, and dragging across it.

import { ask, fill, read } from './asking.js';

const LEAST = 8; // pixels; a shorter drag is a click
const STEP = 0.5; // of the stretch that is shown
const FEWEST = 8; // bins of the closest view
const PHONE = window.matchMedia('(max-width: 43rem)');

export function clock(seconds) {
  const whole = Math.round(seconds);
  const two = (n) => String(n).padStart(2, '0');
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

export function stretched(shown, whole, act) {
  const length = shown.to - shown.from;
  const middle = (shown.from + shown.to) / 2;
  const least = Math.min(FEWEST * whole.finest, whole.last - whole.first);
  const wanted = {
    in: [middle - length / 4, middle + length / 4],
    out: [middle - length, middle + length],
    left: [shown.from - STEP * length, shown.to - STEP * length],
    right: [shown.from + STEP * length, shown.to + STEP * length],
    whole: [whole.first, whole.last],
  }[act];
  return within(wanted, whole, least);
}

export function within([from, to], whole, least) {
  const length = Math.min(Math.max(to - from, least), whole.last - whole.first);
  const middle = (from + to) / 2;
  const start = Math.min(Math.max(middle - length / 2, whole.first), whole.last - length);
  return { from: start, to: start + length };
}

export function makeZoom(words) {
  const { zoom: whole, plots } = read('lesson');
  const holder = document.getElementById('zoom');
  const told = document.getElementById('shown');
  const buttons = [...document.querySelectorAll('[data-zoom]')];
  let shown = { from: whole.from, to: whole.to };
  let asked = null; // what stops the question before
  let begun = null; // where a drag began, in pixels

  const size = () => (PHONE.matches ? 'narrow' : 'wide');
  const isWhole = () => shown.from <= whole.first && shown.to >= whole.last;

  function update() {
    const least = FEWEST * whole.finest;
    for (const button of buttons) {
      const act = button.dataset.zoom;
      button.disabled =
        (act === 'in' && shown.to - shown.from <= least) ||
        ((act === 'out' || act === 'whole') && isWhole()) ||
        (act === 'left' && shown.from <= whole.first) ||
        (act === 'right' && shown.to >= whole.last);
    }
  }

  async function draw() {
    if (asked) asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    const query = new URLSearchParams({ mapping: holder.dataset.mapping, size: size() });
    if (!isWhole()) {
      query.set('from', shown.from.toFixed(1));
      query.set('to', shown.to.toFixed(1));
    }
    try {
      for (const part of document.querySelectorAll('.drawn')) {
        query.set('what', part.dataset.what);
        const answer = await ask(`/api/lessons/${holder.dataset.lesson}/chart?${query}`, 'GET', undefined, signal);
        const drawing = await answer.text();
        if (signal.aborted) return;
        part.innerHTML = drawing;
        shown = { from: Number(answer.headers.get('x-from')), to: Number(answer.headers.get('x-to')) };
      }
      told.textContent = fill(words.shown, { from: clock(shown.from), to: clock(shown.to) });
      remember();
    } catch (error) {
      if (error.name !== 'AbortError') told.textContent = `${words.failed} ${error.message}`;
    }
    update();
  }

  function remember() {
    const address = new URL(location.href);
    for (const name of ['from', 'to']) {
      if (isWhole()) address.searchParams.delete(name);
      else address.searchParams.set(name, shown[name].toFixed(1));
    }
    history.replaceState(null, '', address);
  }

  function go(act) {
    shown = stretched(shown, whole, act);
    draw();
  }

  for (const button of buttons) button.addEventListener('click', () => go(button.dataset.zoom));
  const keys = { '+': 'in', '=': 'in', '-': 'out', ArrowLeft: 'left', ArrowRight: 'right', 0: 'whole' };
  holder.tabIndex = 0;
  holder.addEventListener('keydown', (event) => {
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    go(act);
  });

  const timeAt = (x) => {
    const box = holder.querySelector(`.chart.${size()}`).getBoundingClientRect(); // narrower than its holder, at times
    const plot = plots[size()];
    const at = ((x - box.left) / box.width) * plot.width;
    const share = Math.min(Math.max((at - plot.left) / (plot.right - plot.left), 0), 1);
    return shown.from + share * (shown.to - shown.from);
  };
  const mark = document.createElement('div');
  mark.className = 'chosen';
  mark.hidden = true;
  const unmark = () => {
    begun = null;
    mark.hidden = true;
  };
  holder.addEventListener('pointerdown', (event) => {
    if (event.button === 0) begun = event.clientX;
  });
  holder.addEventListener('pointermove', (event) => {
    if (begun === null || Math.abs(event.clientX - begun) < LEAST) return;
    if (mark.hidden) {
      holder.setPointerCapture(event.pointerId);
      holder.append(mark);
      mark.hidden = false;
    }
    const left = holder.getBoundingClientRect().left;
    mark.style.left = `${Math.min(begun, event.clientX) - left}px`;
    mark.style.width = `${Math.abs(event.clientX - begun)}px`;
  });
  holder.addEventListener('pointerup', (event) => {
    const from = begun;
    const dragged = !mark.hidden;
    unmark();
    if (!dragged) return;
    const times = [timeAt(from), timeAt(event.clientX)].sort((one, other) => one - other);
    shown = within(times, whole, Math.min(FEWEST * whole.finest, whole.last - whole.first));
    draw();
  });
  holder.addEventListener('pointercancel', unmark);
  PHONE.addEventListener('change', draw);
  update();
  return draw;
}
