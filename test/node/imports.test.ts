// The tree's rules: imports go one way, delegate/ stands alone, and no file names a machine, a registry host or a tool.
import assert from 'node:assert/strict';
import path from 'node:path';
import { describe, it } from 'node:test';
import { filesUnder, projectFile } from '../support/files.js';

const delegateOrder = [
  ['errors.ts', 'debug.ts', 'options.ts', 'task.ts', 'hash.ts', 'table.ts', 'version.ts'],
  ['ir/'],
  ['executable.ts'],
  ['ops/'],
  ['layout/'],
  ['shader/'],
  ['kernels/'],
  ['passes/'],
  ['plan/'],
  ['tuning/', 'serialization/'],
  ['webgl/'],
  ['delegate.ts'],
  ['index.ts'],
];
const sourceOrder = [['format/'], ['runtime/'], ['tfjs/'], ['converter/'], ['cli/'], ['index.ts']];

const text = (file: string) => Buffer.from(projectFile(file)).toString('utf8');

/** What a file imports or re-exports: project files as paths from the root, packages by name. */
function importsOf(file: string): string[] {
  const found = text(file).matchAll(
    /^(?:import|export)\s[\w\s*{},$]*?from\s+'([^'\n]+)'|^import\s+'([^'\n]+)'|\bimport\(\s*'([^'\n]+)'/gm,
  );
  return [...found].map(([, named, bare, dynamic]) => {
    const target = named ?? bare ?? dynamic!;
    return target.startsWith('.') ? path.posix.join(path.posix.dirname(file), target.replace(/\.js$/, '.ts')) : target;
  });
}

function levelOf(file: string, folder: string, order: readonly (readonly string[])[]): number {
  return order.findIndex((names) => names.some((name) => file.startsWith(folder + name)));
}

/** Imports that point to a later level of the list. */
function upward(folder: string, order: readonly (readonly string[])[]): string[] {
  return filesUnder(folder).flatMap((file) =>
    importsOf(file)
      .filter((target) => target.startsWith(`${folder}/`))
      .filter((target) => levelOf(target, `${folder}/`, order) > levelOf(file, `${folder}/`, order))
      .map((target) => `${file} imports ${target}`),
  );
}

describe('the tree', () => {
  it('has a level for every file of delegate/', () => {
    const stray = filesUnder('delegate').filter((file) => levelOf(file, 'delegate/', delegateOrder) < 0);
    assert.deepEqual(stray, []);
  });

  it('has a level for every file of src/', () => {
    const stray = filesUnder('src').filter((file) => levelOf(file, 'src/', sourceOrder) < 0);
    assert.deepEqual(stray, []);
  });

  it('imports one way inside delegate/', () => {
    assert.deepEqual(upward('delegate', delegateOrder), []);
  });

  it('imports one way inside src/', () => {
    assert.deepEqual(upward('src', sourceOrder), []);
  });

  it('lets delegate/ import nothing outside itself', () => {
    const outside = filesUnder('delegate').flatMap((file) =>
      importsOf(file)
        .filter((target) => !target.startsWith('delegate/'))
        .map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(outside, []);
  });

  it('lets src/ import only the index of delegate/, and what few need on demand', () => {
    const onDemand: Readonly<Record<string, string>> = {
      'src/runtime/context.ts': 'delegate/delegate.ts',
      'src/converter/passes.ts': 'delegate/passes/scaling.ts',
    };
    const inner = filesUnder('src').flatMap((file) =>
      importsOf(file)
        .filter((target) => target.startsWith('delegate/') && target !== 'delegate/index.ts')
        .filter((target) => target !== onDemand[file])
        .map((target) => `${file} imports ${target}`),
    );
    assert.deepEqual(inner, []);
  });

  it('names no machine path and no registry host', () => {
    const named = new RegExp(
      ['/wo' + 'rk/', '/ro' + 'ot/', '/ho' + 'me/\\w', 'registry\\.(npm' + 'js|yarn' + 'pkg)'].join('|'),
    );
    const files = filesUnder('.').filter(
      (file) => /\.(ts|mjs|js|json|md|html|yml)$|^\.ci\/|^\.npmrc$/.test(file) && !file.startsWith('test/fixtures/'),
    );
    assert.deepEqual(
      files.filter((file) => named.test(text(file))),
      [],
    );
  });
});
