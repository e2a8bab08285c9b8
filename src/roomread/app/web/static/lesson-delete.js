'use strict';
// Deleting a lesson: asked once more, then done for good.

import { ask } from './asking.js';

export function onDelete(words, told, done) {
  const dialog = document.getElementById('delete');
  let button = null;
  document.addEventListener('click', (event) => {
    const pressed = event.target.closest('[data-delete]');
    if (!pressed) return;
    button = pressed;
    dialog.querySelector('[data-what]').textContent = button.dataset.name;
    dialog.returnValue = '';
    dialog.showModal();
  });
  dialog.addEventListener('close', async () => {
    if (dialog.returnValue !== 'delete' || !button) return;
    try {
      await ask(`/api/lessons/${button.dataset.delete}`, 'DELETE');
      done(button);
    } catch (error) {
      told.textContent = `${words.failed} ${error.message}`;
    }
  });
}
