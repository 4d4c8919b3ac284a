using System.Text.Json;
using MedMerge.Experiments.Planning;

namespace MedMerge.Storage;

/// <summary>Finds stages that were measured, of the kinds that a plan has: the store's newest sweeps know what their stages cost.</summary>
internal sealed class StagePaces(IObjectStore objects)
{
    /// <summary>Bounds what is read.</summary>
    private const int MaxSweeps = 20, MaxOfKind = 25;

    private readonly ArtefactStore _artefacts = new(objects);
    private readonly StageStore _stages = new(objects);
    private readonly SweepStore _sweeps = new(objects);

    /// <summary>Reads the measured stages. Sweeps that other versions have planned, or that are damaged, are left out.</summary>
    public async Task<IReadOnlyList<MeasuredStage>> ReadAsync(PlanSummary plan, CancellationToken cancellation)
    {
        var room = StageKind.ListAll(plan).Distinct().ToDictionary(kind => kind, _ => MaxOfKind);
        var seen = new HashSet<string>();
        var measured = new List<MeasuredStage>();
        var sweeps = 0;
        await foreach (var id in _sweeps.ListNewestAsync(cancellation).ConfigureAwait(false))
        {
            if (++sweeps > MaxSweeps) break;
            if (await FindPlanAsync(id, cancellation).ConfigureAwait(false) is not { } known) continue;
            foreach (var (stage, kind) in known.Stages.Zip(StageKind.ListAll(known)))
            {
                if (stage.Cost <= 0 || room.GetValueOrDefault(kind) == 0 || !seen.Add(stage.Key)) continue;
                if (await _stages.FindTimingAsync(stage.Key, cancellation).ConfigureAwait(false) is not { } timing) continue;
                var found = new MeasuredStage(kind, stage.Cost, timing);
                if (!found.IsWhole) continue;
                measured.Add(found);
                room[kind]--;
            }
        }
        return measured;
    }

    private async Task<PlanSummary?> FindPlanAsync(string sweep, CancellationToken cancellation)
    {
        try
        {
            var found = await _sweeps.FindHeadAsync(sweep, cancellation).ConfigureAwait(false);
            if (found is not { Head.Plan: { } hash }) return null;
            var content = await _artefacts.ReadAsync(hash, cancellation).ConfigureAwait(false);
            if (content is null) return null;
            var plan = PlanSummary.Read(content);
            return plan is { Scenarios: not null, Stages: not null, Trials: not null } ? plan : null;
        }
        catch (Exception error) when (error is InvalidDataException or JsonException)
        {
            return null;
        }
    }
}
