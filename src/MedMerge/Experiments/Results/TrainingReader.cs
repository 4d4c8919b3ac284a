using MedMerge.Experiments.Methods;
using MedMerge.Experiments.Stages;
using MedMerge.Merging;
using MedMerge.Training;

namespace MedMerge.Experiments.Results;

/// <summary>
/// Adds to results how trials were trained. What was lost of it is computed again like any other output: results must not depend on that.
/// </summary>
internal static class TrainingReader
{
    /// <summary>Adds how α was learned to every trial, and the rest to the first of each row: a sweep has too many to keep all.</summary>
    /// <exception cref="MissingOutputException">An output is missing or damaged.</exception>
    public static async Task<List<TrialResult>> AddAsync(
        IReadOnlyList<TrialResult> results,
        IStageStore store,
        CancellationToken cancellation)
    {
        var rows = new HashSet<MethodRow>();
        var added = new List<TrialResult>();
        foreach (var result in results)
        {
            var learning = await ReadHistoryAsync(result, OutputRole.KernelWeightHistory, store, cancellation).ConfigureAwait(false);
            var isFirst = rows.Add(result.Trial.Row);
            added.Add(result with
            {
                WeightLearning = learning,
                Training = isFirst ? await ReadAsync(result, store, cancellation).ConfigureAwait(false) : null,
            });
        }
        return added;
    }

    private static async Task<TrainingRecord> ReadAsync(TrialResult result, IStageStore store, CancellationToken cancellation)
    {
        var tuning = await ReadHistoryAsync(result, OutputRole.FineTuneHistory, store, cancellation).ConfigureAwait(false);
        if (result.Trial.FindOutput(OutputRole.KernelWeightHistory) is not { } learned) return new TrainingRecord(tuning, Alpha: null);
        var file = await FindAsync(result, OutputRole.KernelWeights, store, cancellation).ConfigureAwait(false);
        var means = await store.FindFileAsync(learned.Stage, StageFiles.LayerMeans, cancellation).ConfigureAwait(false);
        return new TrainingRecord(tuning, file is null ? null : Summarise(file))
        {
            LayerMeans = means is null ? [] : StageFiles.Read<List<double[][]>>(means, StageFiles.LayerMeans),
        };
    }

    private static KernelWeightSummary Summarise(byte[] file)
    {
        var learned = LearnedKernelWeights.Read(file, StageFiles.KernelWeights);
        return KernelWeightSummary.Of([.. learned.Sources.Select(source => source.Name)], learned.Alpha);
    }

    private static async Task<IReadOnlyList<EpochRecord>> ReadHistoryAsync(
        TrialResult result,
        OutputRole role,
        IStageStore store,
        CancellationToken cancellation)
    {
        var file = await FindAsync(result, role, store, cancellation).ConfigureAwait(false);
        return file is null ? [] : StageFiles.Read<List<EpochRecord>>(file, StageFiles.History);
    }

    private static async Task<byte[]?> FindAsync(
        TrialResult result,
        OutputRole role,
        IStageStore store,
        CancellationToken cancellation) => result.Trial.FindOutput(role) is { } output
        ? await store.GetFileAsync(output.Stage, output.Artefact, cancellation).ConfigureAwait(false)
        : null;
}
