// A judge that uses ethers alone: waits until tasks have ended, and answers with
// what the chain shows of them, of their results, and of accounts. What a gateway
// has for a result is held against its content id by the library of that field.
import { Contract, JsonRpcProvider, toUtf8String } from 'ethers';
import { CID } from 'multiformats/cid';
import { sha256 } from 'multiformats/hashes/sha2';
import { setTimeout } from 'node:timers/promises';

const wish = JSON.parse(process.argv[2]);
const provider = new JsonRpcProvider(wish.node);
const hub = new Contract(wish.hub, [
  'function viewTask(bytes32) view returns (tuple(uint8 status, bytes32 dealid, uint256 idx, uint256 timeref, uint256 contributionDeadline, uint256 revealDeadline, uint256 finalDeadline, bytes32 consensusValue, uint256 revealCounter, uint256 winnerCounter, address[] contributors, bytes32 resultDigest, bytes results, uint256 resultsTimestamp, bytes resultsCallback) task)',
  'function viewContribution(bytes32, address) view returns (tuple(uint8 status, bytes32 resultHash, bytes32 resultSeal, address enclaveChallenge, uint256 weight) contribution)',
  'function viewAccount(address) view returns (tuple(uint256 stake, uint256 locked) account)',
], provider);

async function ended(id) {
  for (;;) {
    const task = await hub.viewTask(id);
    if (task.status >= 3n) return task;
    await setTimeout(500);
  }
}

async function archive(location) {
  const answer = await fetch(new URL(location, wish.gateway));
  if (!answer.ok) throw new Error(`${location}: ${answer.status} ${await answer.text()}`);
  const bytes = new Uint8Array(await answer.arrayBuffer());
  const named = CID.parse(location.replace('/ipfs/', ''));
  if (!CID.createV1(named.code, await sha256.digest(bytes)).equals(named)) {
    throw new Error(`${location} is not the content id of the ${bytes.length} bytes there`);
  }
  return Buffer.from(bytes).toString('base64');
}

async function shown(id) {
  const task = await ended(id);
  const contributions = await Promise.all(task.contributors.map(async (wallet) => {
    const { status } = await hub.viewContribution(id, wallet);
    return { wallet: wallet.toLowerCase(), status: Number(status) };
  }));
  const out = { status: Number(task.status), reveals: Number(task.revealCounter), winners: Number(task.winnerCounter), contributions };
  if (task.status === 3n) {
    out.results = JSON.parse(toUtf8String(task.results));
    out.archive = await archive(out.results.location);
  }
  return out;
}

const tasks = await Promise.all(wish.tasks.map(shown));
const accounts = {};
for (const account of wish.accounts) {
  const { stake, locked } = await hub.viewAccount(account);
  accounts[account] = { stake: Number(stake), locked: Number(locked) };
}
console.log(JSON.stringify({ tasks, accounts }));
provider.destroy();
