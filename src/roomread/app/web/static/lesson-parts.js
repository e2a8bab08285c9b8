'use strict';
// Parts and markers: added, changed, removed, read from a file that stays with its owner, compared.

import { ask, fill, showScripted } from './asking.js';

// As files come from spreadsheets: UTF-8, UTF-16 with a mark, or else Western European.
export async function textOf(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const marks = { '255,254': 'utf-16le', '254,255': 'utf-16be' };
  const marked = marks[bytes.slice(0, 2).join(',')];
  if (marked) return new TextDecoder(marked).decode(bytes);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

export function makeParts(words, lesson, mapping, redraw) {
  const list = document.getElementById('parts-list');
  const told = document.getElementById('parts-told');
  const compared = document.getElementById('compared');
  const dialog = document.getElementById('part');
  const form = dialog.querySelector('form');
  const wrong = document.getElementById('part-told');
  const path = `/api/lessons/${lesson}`;
  let changed = null; // number of the part that is changed; null: a new one

  // The page itself says what the list looks like, so that it is written once.
  async function renew() {
    const answer = await ask(location.href);
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    list.replaceChildren(...page.getElementById('parts-list').childNodes);
    document.getElementById('parts-compare').hidden = !list.querySelector('[data-part]');
    compared.replaceChildren();
    showScripted(list);
    await redraw();
  }

  async function attempt(place, work) {
    place.textContent = '';
    try {
      await work();
      return true;
    } catch (error) {
      place.textContent = `${words.failed} ${error.message}`;
      return false;
    }
  }

  function open(row) {
    changed = row ? row.dataset.part : null;
    const values = row ? row.dataset : { name: '', start: '', end: '', kind: 'activity' };
    for (const name of ['name', 'start', 'end', 'kind']) form.elements[name].value = values[name];
    document.getElementById('part-title').textContent = row ? words.part_old : words.part_new;
    wrong.textContent = '';
    kind();
    dialog.showModal();
  }

  function kind() {
    form.elements.end.disabled = form.elements.kind.value === 'marker';
  }

  form.elements.kind.addEventListener('change', kind);
  form.querySelector('[data-close]').addEventListener('click', () => dialog.close());
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const values = Object.fromEntries(['name', 'start', 'end', 'kind'].map((name) => [name, form.elements[name].value]));
    const done = await attempt(wrong, () =>
      changed ? ask(`${path}/parts/${changed}`, 'PUT', values) : ask(`${path}/parts`, 'POST', values),
    );
    if (!done) return;
    dialog.close();
    await attempt(told, renew);
    told.textContent ||= words.saved;
  });
  document.getElementById('part-add').addEventListener('click', () => open(null));
  list.addEventListener('click', async (event) => {
    const row = event.target.closest('[data-part]');
    if (event.target.closest('[data-edit]')) open(row);
    if (!event.target.closest('[data-remove]')) return;
    const done = await attempt(told, async () => {
      await ask(`${path}/parts/${row.dataset.part}`, 'DELETE');
      await renew();
    });
    if (done) told.textContent = words.removed;
    document.getElementById('part-add').focus();
  });

  document.getElementById('agenda').addEventListener('change', async (event) => {
    const [file] = event.target.files;
    if (!file) return;
    let kept = [];
    let notes = [];
    const done = await attempt(told, async () => {
      const answer = await ask(`${path}/agenda`, 'POST', { file: file.name.slice(-200), text: await textOf(file) });
      ({ parts: kept, notes } = await answer.json());
      await renew();
    });
    event.target.value = '';
    if (done) told.textContent = [fill(words.agenda_done, { n: kept.length }), ...notes].join(' ');
  });

  document.getElementById('parts-compare').addEventListener('click', async (event) => {
    const button = event.target;
    button.disabled = true;
    told.textContent = words.comparing;
    const done = await attempt(told, async () => {
      const answer = await ask(`${path}/comparison?${new URLSearchParams({ mapping })}`);
      show(await answer.json());
    });
    if (done) told.textContent = words.compared;
    button.disabled = false;
  });

  function show(made) {
    for (const part of made.parts) {
      const cell = list.querySelector(`[data-part="${part.part}"] [data-compared]`);
      if (cell) cell.textContent = part.words;
    }
    for (const cell of list.querySelectorAll('[data-compared]')) cell.hidden = false;
    compared.replaceChildren(
      ...[made.method, made.caution, ...made.notes].map((text) => {
        const line = document.createElement('p');
        line.textContent = text;
        return line;
      }),
    );
  }
}
