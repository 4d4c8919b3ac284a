using MedMerge.Experiments.Benchmarks;

namespace MedMerge.Storage.Benchmarks;

/// <summary>
/// The runs of benchmarks under <c>benchmarks/runs/NAME/ID</c>, written once, and which of them a user has accepted under
/// <c>benchmarks/accepted/NAME/ID</c>.
/// </summary>
internal sealed class BenchmarkStore(IObjectStore objects)
{
    /// <summary>Prefix of all runs.</summary>
    public const string RunPrefix = "benchmarks/runs/";

    private const string AcceptedPrefix = "benchmarks/accepted/";
    private const string Kind = "benchmark-run";

    /// <summary>The ids of all runs by benchmark, oldest first.</summary>
    public async Task<SortedDictionary<string, List<string>>> ListAsync(CancellationToken cancellation)
    {
        var found = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        await foreach (var item in objects.ListAsync(RunPrefix, cancellation).ConfigureAwait(false))
        {
            if (item.Name[RunPrefix.Length..].Split('/') is not [var name, var id]) continue;
            if (!found.TryGetValue(name, out var ids)) found[name] = ids = [];
            ids.Add(id);
        }
        return found;
    }

    /// <summary>The ids of a benchmark's runs, oldest first.</summary>
    public Task<List<string>> ListAsync(string benchmark, CancellationToken cancellation) => IdsAsync(RunPrefix, benchmark, cancellation);

    /// <summary>A run; null where there is none.</summary>
    /// <exception cref="InvalidDataException">Its record is damaged.</exception>
    public async Task<BenchmarkRun?> FindAsync(string benchmark, string id, CancellationToken cancellation)
    {
        var name = $"{RunPrefix}{benchmark}/{id}";
        if (!ObjectName.IsOne(name)) return null;
        var (run, etag) = await Manifest.ReadAsync<BenchmarkRun>(objects, name, Kind, cancellation).ConfigureAwait(false);
        if (run is null && etag is not null)
            throw new InvalidDataException($"The record of run {id} of the benchmark '{benchmark}' is damaged.");
        return run;
    }

    /// <summary>A run; null where its record is damaged, which keeps no other run from being read.</summary>
    private async Task<BenchmarkRun?> TryReadAsync(string benchmark, string id, CancellationToken cancellation)
    {
        try
        {
            return await FindAsync(benchmark, id, cancellation).ConfigureAwait(false);
        }
        catch (InvalidDataException)
        {
            return null; // `medmerge storage verify` shows it
        }
    }

    /// <summary>Keeps a run.</summary>
    /// <returns>Whether this call has written it; false where it was there.</returns>
    public async Task<bool> TryCreateAsync(BenchmarkRun run, CancellationToken cancellation)
    {
        var name = $"{RunPrefix}{run.Benchmark}/{run.Id}";
        var commit = Guid.NewGuid().ToString("N");
        var content = Manifest.Write(Kind, commit, run);
        if (await objects.TryCreateAsync(name, content, cancellation).ConfigureAwait(false) is not null) return true;
        // Where the answer to the write was lost, the client tries again and fails on its own first try.
        var stored = await objects.ReadAsync(name, cancellation).ConfigureAwait(false);
        return stored is not null && Manifest.CommitOf(stored.Content) == commit;
    }

    /// <summary>The run that a new one is compared with: the last one before it that is not flagged, or that a user has accepted.</summary>
    /// <param name="before">Id of the new one.</param>
    public async Task<BenchmarkRun?> FindAcceptedAsync(string benchmark, string before, CancellationToken cancellation)
    {
        var accepted = await AcceptedAsync(benchmark, cancellation).ConfigureAwait(false);
        var ids = await ListAsync(benchmark, cancellation).ConfigureAwait(false);
        foreach (var id in ids.Where(id => string.CompareOrdinal(id, before) < 0).Reverse())
        {
            if (await TryReadAsync(benchmark, id, cancellation).ConfigureAwait(false) is not { } run) continue;
            if (!run.Verdict.IsFlagged || accepted.Contains(id)) return run;
        }
        return null;
    }

    /// <summary>The runs before another one, newest first.</summary>
    /// <param name="count">How many at most.</param>
    public async Task<List<BenchmarkRun>> ReadBeforeAsync(string benchmark, string before, int count, CancellationToken cancellation)
    {
        var runs = new List<BenchmarkRun>();
        var ids = await ListAsync(benchmark, cancellation).ConfigureAwait(false);
        foreach (var id in ids.Where(id => string.CompareOrdinal(id, before) < 0).Reverse().Take(count))
            if (await TryReadAsync(benchmark, id, cancellation).ConfigureAwait(false) is { } run) runs.Add(run);
        return runs;
    }

    /// <summary>Accepts a run, flagged or not.</summary>
    public async Task AcceptAsync(string benchmark, string id, CancellationToken cancellation) =>
        await objects.TryCreateAsync($"{AcceptedPrefix}{benchmark}/{id}", "accepted"u8.ToArray(), cancellation).ConfigureAwait(false);

    /// <summary>The ids of the runs that a user has accepted.</summary>
    public async Task<HashSet<string>> AcceptedAsync(string benchmark, CancellationToken cancellation) =>
        [.. await IdsAsync(AcceptedPrefix, benchmark, cancellation).ConfigureAwait(false)];

    /// <summary>The artefacts that a run refers to, or null where it is damaged.</summary>
    public static IEnumerable<string>? ArtefactsOf(ReadOnlyMemory<byte> manifest) =>
        Manifest.Read<BenchmarkRun>(manifest, Kind)?.Artefacts;

    private async Task<List<string>> IdsAsync(string prefix, string benchmark, CancellationToken cancellation)
    {
        var ids = new List<string>();
        var folder = $"{prefix}{benchmark}/";
        if (!ObjectName.IsOne(folder.TrimEnd('/'))) return ids;
        await foreach (var item in objects.ListAsync(folder, cancellation).ConfigureAwait(false)) ids.Add(item.Name[folder.Length..]);
        return ids;
    }
}
