// SPDX-License-Identifier: Apache-2.0
// console.mjs - pictures of Keycloak's admin console.
//
// usage: console.mjs JSON
//
//   base, realm          where; the administrator is of the realm master
//   user                 {name, password}
//   pages                [{name, path, see}]: a route of the console below the
//                        realm, and a text that is on the page when it is done
//   shots                folder for NAME.png
//
// Fails if a text does not come.

import path from 'node:path';
import { open } from './browser.mjs';

const options = JSON.parse(process.argv[2]);
const console_ = `${options.base}/admin/master/console/`;

async function login(page) {
  await page.goto(console_);
  await page.fill('#username', options.user.name);
  await page.fill('#password', options.user.password);
  await page.click('#kc-login');
  await page.getByText('Realm settings').first().waitFor();
}

async function shoot(page, { name, path: route, see, size }) {
  if (size) {
    await page.setViewportSize(size);
  }
  await page.goto(`${console_}#/${options.realm}/${route}`);
  await page.reload();
  await page.getByText(see).first().waitFor();
  // What arrives late moves the page: wait until it is quiet.
  await page.waitForLoadState('networkidle');
  await page.evaluate(() => document.fonts.ready);
  await page.screenshot({
    path: path.join(options.shots, `${name}.png`), animations: 'disabled',
  });
  console.log(JSON.stringify({ name }));
}

const { browser, page } = await open({ width: 1100, height: 760 });
try {
  await login(page);
  for (const one of options.pages) {
    await shoot(page, one);
  }
} finally {
  await browser.close();
}
