"""Runs a specification on a cluster and reads its results into pandas: sweep.py SPECIFICATION [FILE ...].

Files are those that the specification names, as it names them. MEDMERGE_GATEWAY is the gateway's address, MEDMERGE_API_KEY the key.
"""
import hashlib, io, os, pathlib, sys, time

import pandas, requests

api = os.environ.get("MEDMERGE_GATEWAY", "http://127.0.0.1:8080").rstrip("/") + "/api/v1"
headers = {"X-Api-Key": os.environ["MEDMERGE_API_KEY"]} if "MEDMERGE_API_KEY" in os.environ else {}


def call(method, path, **content):
    answer = requests.request(method, api + path, headers=headers, **content)
    return answer if answer.ok else sys.exit(f"{answer.status_code}: {answer.text}")


specification, files = pathlib.Path(sys.argv[1]), {}
for name in sys.argv[2:]:
    content = (specification.parent / name).read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    call("PUT", f"/files/{sha256}", data=content)
    files[name] = f"sha256:{sha256}/{pathlib.Path(name).name}"
sweep = call("POST", "/sweeps", json={"specification": specification.read_text(), "files": files}).json()
while sweep["state"] in ("Waiting", "Running", "Paused"):
    time.sleep(2)
    sweep = call("GET", f"/sweeps/{sweep['id']}").json()
trials = pandas.read_csv(io.StringIO(call("GET", f"/sweeps/{sweep['id']}/results?format=csv").text))
print(trials.pivot_table(index="method", columns="scenario", values="test.macroF1", aggfunc=["mean", "std", "count"]))
