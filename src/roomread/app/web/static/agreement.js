'use strict';
// Puts what takes seconds to work out into the page that waits for it.

import { ask } from './asking.js';

const tables = document.getElementById('tables');
tables.textContent = tables.textContent.trim();
try {
  tables.innerHTML = await (await ask(tables.dataset.address)).text();
} catch (error) {
  tables.textContent = error.message;
}
