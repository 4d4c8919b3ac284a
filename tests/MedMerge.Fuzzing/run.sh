#!/usr/bin/env bash
# Lets afl-fuzz look for files that a parser neither reads nor refuses: run.sh TARGET SECONDS [FOLDER].
# Needs Debian's package afl++. What it finds lies in FOLDER/TARGET/found/default, in crashes and hangs.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
target=${1:?a target}
seconds=${2:?seconds}
folder=${3:-$(mktemp -d)}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

dotnet build "$here" -c Release --verbosity quiet
output="$here/bin/Release/net10.0"
mkdir -p "$folder"
work="$(cd "$folder" && pwd)/$target"
program="$work/program"
seeds="$work/seeds"
rm -rf "$work"
mkdir -p "$program"

# A copy, since instrumenting changes assemblies in place. The native libraries are 500 MB that stay as they are.
find "$output" -maxdepth 1 -type f -exec cp --target-directory "$program" {} +
ln -s "$output/runtimes" "$program/runtimes"

tools="$folder/tools"
[ -x "$tools/sharpfuzz" ] || dotnet tool install SharpFuzz.CommandLine --version 2.3.0 --tool-path "$tools" >/dev/null
for assembly in MedMerge SixLabors.ImageSharp CsvHelper YamlDotNet Google.Protobuf; do
    "$tools/sharpfuzz" "$program/$assembly.dll" >/dev/null
done

# From the output itself: some seeds are files of the repository, which a copy elsewhere does not find.
dotnet "$output/MedMerge.Fuzzing.dll" seeds "$target" "$seeds"

export AFL_SKIP_BIN_CHECK=1 # the program is dotnet, whose branches nobody asks for
export AFL_MAP_SIZE=65536 # SharpFuzz's
export AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_SKIP_CPUFREQ=1 AFL_NO_AFFINITY=1 AFL_NO_UI=1
export AFL_FORKSRV_INIT_TMOUT=60000 # a .NET process starts slowly on a busy machine
export DOTNET_PROCESSOR_COUNT=1 DOTNET_ThreadPool_ForceMaxWorkerThreads=1 # branches of several threads at once tell nothing
afl-fuzz -i "$seeds" -o "$work/found" -t 10000 -m none -V "$seconds" -- \
    dotnet "$program/MedMerge.Fuzzing.dll" fuzz "$target" >"$work/log" 2>&1 ||
    { tail -n 20 "$work/log" >&2; exit 1; }

found() { sed -n "s/^$1 *: *//p" "$work/found/default/fuzzer_stats"; }
echo "$target: $(found execs_done) inputs, $(found corpus_count) paths, $(found saved_crashes) crashes, $(found saved_hangs) hangs ($work)"
