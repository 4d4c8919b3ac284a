using System.Text.Json;
using MedMerge.Experiments.Planning;

namespace MedMerge.Storage;

/// <summary>Plans' summaries by their SHA-256, the last few kept in memory.</summary>
internal sealed class PlanSummaries(ArtefactStore artefacts)
{
    private const int Kept = 16;
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Hash, PlanSummary Plan)> _recent = [];

    /// <summary>The summary of a sweep's plan.</summary>
    /// <exception cref="InputException">The sweep was submitted by another version.</exception>
    /// <exception cref="InvalidDataException">It is missing or damaged.</exception>
    public async Task<PlanSummary> GetAsync(SweepRecord sweep, CancellationToken cancellation)
    {
        if (sweep.Plan is not { } hash) throw CreateOutdated(sweep, inner: null);
        if (Find(hash) is { } known) return known;
        var content = await artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false)
            ?? throw new InvalidDataException(
                $"The plan of sweep '{sweep.Name}' (artefact {hash}) is missing in the store or damaged. " +
                "Submit the sweep again: that puts it back.");
        try
        {
            var plan = PlanSummary.Read(content);
            Keep(hash, plan);
            return plan;
        }
        catch (JsonException error)
        {
            throw CreateOutdated(sweep, error);
        }
    }

    private static InputException CreateOutdated(SweepRecord sweep, Exception? inner) => new(
        $"The sweep '{sweep.Name}' was submitted by another version of MedMerge. Submit it again: finished stages are not computed again.",
        inner);

    private PlanSummary? Find(string hash)
    {
        lock (_gate)
        {
            var known = _recent.FirstOrDefault(entry => entry.Hash == hash);
            if (known.Plan is null) return null;
            _recent.Remove(known);
            _recent.AddFirst(known);
            return known.Plan;
        }
    }

    private void Keep(string hash, PlanSummary plan)
    {
        lock (_gate)
        {
            _recent.AddFirst((hash, plan));
            if (_recent.Count > Kept) _recent.RemoveLast();
        }
    }
}
