using MedMerge.Experiments.Benchmarks;
using MedMerge.Storage.Benchmarks;
using MedMerge.Storage.Schedules;

namespace MedMerge.Gateway.Queries;

/// <summary>The benchmarks in the store.</summary>
internal sealed class BenchmarkQueries(BenchmarkStore benchmarks, BenchmarkReader reader)
{
    /// <summary>All benchmarks by name. One with a damaged record is listed as such and does not hide the others.</summary>
    public async Task<List<BenchmarkSummary>> ListAsync(CancellationToken cancellation)
    {
        var found = new List<BenchmarkSummary>();
        foreach (var (name, ids) in await benchmarks.ListAsync(cancellation))
        {
            try
            {
                if (await FindEntryAsync(name, ids[^1], cancellation) is { } last)
                    found.Add(new BenchmarkSummary(name, last.Run.Title, ids.Count, ids[^1], last.State));
            }
            catch (InvalidDataException damaged)
            {
                found.Add(new BenchmarkSummary(name, name, ids.Count, ids[^1], default, damaged.Message));
            }
        }
        return found;
    }

    /// <summary>A benchmark with its last runs; null where there is none of that name, which may be any text.</summary>
    /// <exception cref="InvalidDataException">The record of a run is damaged.</exception>
    public async Task<BenchmarkHistory?> FindAsync(string name, int runs, CancellationToken cancellation)
    {
        var ids = await ListAsync(name, cancellation);
        if (ids.Count == 0) return null;
        var entries = new List<BenchmarkEntry>();
        foreach (var id in ids.TakeLast(runs))
            if (await FindEntryAsync(name, id, cancellation) is { } entry) entries.Add(entry);
        return new BenchmarkHistory(name, ids.Count, entries);
    }

    /// <summary>Compares two runs; null where there is no such run.</summary>
    /// <param name="from">Null for the last accepted one before the other.</param>
    /// <param name="to">Null for the last one.</param>
    /// <exception cref="InputException">There is nothing to compare with.</exception>
    public async Task<BenchmarkDiff?> DiffAsync(string name, string? from, string? to, CancellationToken cancellation)
    {
        if (await FindEntryAsync(name, to, cancellation) is not { Run: var after }) return null;
        var before = from is null
            ? await benchmarks.FindAcceptedAsync(name, after.Id, cancellation)
                ?? throw new InputException($"No run of the benchmark '{name}' before {after.Id} is accepted; name one.")
            : (await FindEntryAsync(name, from, cancellation))?.Run;
        if (before is null) return null;
        var verdict = await reader.CompareAsync(after, before, [], BenchmarkComparison.DefaultSlower, cancellation);
        return new BenchmarkDiff(before.Id, after.Id, verdict);
    }

    /// <summary>What became of a run; null where there is no such run.</summary>
    /// <param name="run">Its id, or its sweep's; null for the last.</param>
    /// <param name="slower">By what share stages may be slower; null for what it was judged by.</param>
    public async Task<BenchmarkCheck?> CheckAsync(string name, string? run, double? slower, CancellationToken cancellation)
    {
        if (await FindEntryAsync(name, run, cancellation) is not var (state, found)) return null;
        var findings = found.Verdict.Findings;
        if (slower is { } share)
        {
            findings =
            [
                .. findings.Where(finding => finding.Kind != FindingKind.Time),
                .. BenchmarkComparison.FindSlower(found.Verdict.Stages, share),
            ];
            if (state != BenchmarkState.Accepted && findings.Count > 0) state = BenchmarkState.Flagged;
            if (state == BenchmarkState.Flagged && findings.Count == 0) state = BenchmarkState.Passed;
        }
        return new BenchmarkCheck(found.Id, found.Verdict.Baseline, state, findings);
    }

    /// <summary>Accepts a run; null where there is no such run.</summary>
    /// <param name="run">Its id, or its sweep's; null for the last.</param>
    public async Task<BenchmarkCheck?> AcceptAsync(string name, string? run, CancellationToken cancellation)
    {
        if (await FindEntryAsync(name, run, cancellation) is not { Run: var found }) return null;
        await benchmarks.AcceptAsync(name, found.Id, cancellation);
        return await CheckAsync(name, found.Id, slower: null, cancellation);
    }

    private async Task<List<string>> ListAsync(string name, CancellationToken cancellation) =>
        Schedule.IsName(name) ? await benchmarks.ListAsync(name, cancellation) : [];

    private async Task<BenchmarkEntry?> FindEntryAsync(string name, string? run, CancellationToken cancellation)
    {
        if (!Schedule.IsName(name)) return null;
        var id = run is null ? (await benchmarks.ListAsync(name, cancellation)).LastOrDefault() : ScheduledRun.FindId(run, name) ?? run;
        if (id is null || await benchmarks.FindAsync(name, id, cancellation) is not { } found) return null;
        return BenchmarkEntry.Of(found, await benchmarks.AcceptedAsync(name, cancellation));
    }
}
