using System.Text.Json;
using MedMerge.Experiments.Planning;

namespace MedMerge.Storage;

/// <summary>Plans' summaries by their SHA-256, the last few kept in memory.</summary>
public sealed class PlanSummaries(ArtefactStore artefacts)
{
    private const int Kept = 16;
    private readonly Lock _gate = new();
    private readonly LinkedList<(string Hash, PlanSummary Plan)> _recent = [];

    /// <summary>The summary of a sweep's plan.</summary>
    /// <exception cref="InvalidDataException">It is missing, damaged or of another version.</exception>
    public async Task<PlanSummary> GetAsync(SweepRecord sweep, CancellationToken cancellation)
    {
        if (Find(sweep.Plan) is { } known) return known;
        var content = sweep.Plan is null ? null : await artefacts.ReadAsync(sweep.Plan, cancellation).ConfigureAwait(false);
        if (content is null) throw CreateMissing(sweep, inner: null);
        try
        {
            var plan = PlanSummary.Read(content);
            Keep(sweep.Plan!, plan);
            return plan;
        }
        catch (JsonException error)
        {
            throw CreateMissing(sweep, error);
        }
    }

    private static InvalidDataException CreateMissing(SweepRecord sweep, Exception? inner) => new(
        $"The plan of sweep '{sweep.Name}' is missing in the store, damaged, or of another version. "
        + "Submit the sweep again: finished stages are not computed again.",
        inner);

    private PlanSummary? Find(string? hash)
    {
        lock (_gate) return _recent.FirstOrDefault(entry => entry.Hash == hash).Plan;
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
