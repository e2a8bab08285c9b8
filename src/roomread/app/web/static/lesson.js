'use strict';
// The page of one lesson.

import { ask, read, showScripted } from './asking.js';
import { onDelete } from './lesson-delete.js';
import { makeParts } from './lesson-parts.js';
import { makeZoom } from './lesson-zoom.js';

const words = read('lesson-words');
const { lesson, mapping } = document.getElementById('zoom').dataset;

showScripted();
makeParts(words, lesson, mapping, makeZoom(words));
onDelete(read('words'), document.getElementById('told'), () => {
  location.href = '/lessons';
});

const about = document.getElementById('about');
about.addEventListener('submit', async (event) => {
  event.preventDefault();
  const told = document.getElementById('about-told');
  told.textContent = '';
  try {
    const { name, remarks } = about.elements;
    const asked = { name: name.value, remarks: remarks.value, keep_until: about.elements['last-day'].value };
    const kept = await (await ask(`/api/lessons/${lesson}`, 'PATCH', asked)).json();
    document.getElementById('name-shown').textContent = kept.name;
    document.querySelector('[data-delete]').dataset.name = kept.name;
    const until = kept.kept_until;
    document.getElementById('until-shown').textContent = until
      ? words.kept_until.replace('{day}', until) : words.kept_forever;
    told.textContent = words.saved;
  } catch (error) {
    told.textContent = `${words.failed} ${error.message}`;
  }
});
