import assert from 'node:assert/strict';
import { it } from 'node:test';
import { VERSION } from '../../delegate/version.js';
import { projectFile } from '../support/files.js';

it('says the version of package.json', () => {
  assert.equal(VERSION, JSON.parse(Buffer.from(projectFile('package.json')).toString('utf8')).version);
});
