'use strict';
// The list: two lessons are ticked to be compared, and each can be deleted.

import { read, showScripted } from './asking.js';
import { onDelete } from './lesson-delete.js';

const words = read('words');
const told = document.getElementById('told');
const form = document.getElementById('compare');

function ticked() {
  return [...form.querySelectorAll('input[name="lesson"]:checked')];
}

function update() {
  const n = ticked().length;
  form.querySelector('[type="submit"]').disabled = n !== 2;
  document.getElementById('hint').textContent = n === 2 ? words.compare_ready : words.compare_hint;
  for (const box of form.querySelectorAll('input[name="lesson"]')) box.disabled = n >= 2 && !box.checked;
}

showScripted();
if (form) {
  form.addEventListener('change', update);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const [a, b] = ticked();
    if (a && b) location.href = `/lessons/compare?a=${a.value}&b=${b.value}`;
  });
  window.addEventListener('pageshow', update); // ticks stay when somebody comes back
  update();
}
onDelete(words, told, (button) => {
  const row = button.closest('tr');
  const next = row.nextElementSibling || row.previousElementSibling;
  if (!next) {
    location.reload();
    return;
  }
  row.remove();
  update();
  told.textContent = words.deleted;
  next.querySelector('a').focus();
});
