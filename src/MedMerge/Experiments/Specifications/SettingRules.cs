using System.Globalization;
using MedMerge.Experiments.Methods;
using MedMerge.Merging;
using MedMerge.Models;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>A rule that settings break together, though each is within its range.</summary>
/// <param name="Path">The full path of the setting to change.</param>
internal sealed record BrokenRule(string Path, string Message);

/// <summary>Rules between the settings of a scenario.</summary>
internal static class SettingRules
{
    private const string KernelWeightBatch = $"{SettingTable.KernelWeightsKey}.batchSize";
    private const string KernelWeightShards = $"{SettingTable.KernelWeightsKey}.shards";
    private const string AnchorWeight = $"{SettingTable.KernelWeightsKey}.anchorWeight";
    private const string Parameterisation = $"{SettingTable.KernelWeightsKey}.parameterisation";
    private const string EntropyPenalty = $"{SettingTable.KernelWeightsKey}.entropyPenalty";
    private const string BatchNorm = "batchNorm";
    private const string Select = "select";
    private const string FineTuneBatch = $"{SettingTable.FineTuneKey}.batchSize";
    private const string FineTuneShards = $"{SettingTable.FineTuneKey}.shards";

    /// <summary>Finds the rules that a scenario's settings break.</summary>
    /// <param name="sources">The sources' names.</param>
    /// <param name="architecture">Null where the specification names none that there is.</param>
    /// <param name="methods">Names of the methods that are compared.</param>
    public static IEnumerable<BrokenRule> Check(
        ScenarioSettings settings,
        IReadOnlyList<string> sources,
        Architecture? architecture,
        IReadOnlyList<string> methods) =>
    [
        .. Check(settings.KernelWeights, sources.Count),
        .. Check(settings.FineTune),
        .. CheckMix(settings),
        .. CheckLayers(settings, sources, architecture),
        .. CheckSelection(settings, methods),
    ];

    private static IEnumerable<BrokenRule> CheckLayers(
        ScenarioSettings settings,
        IReadOnlyList<string> sources,
        Architecture? architecture)
    {
        if (architecture is not null && GivenLayers.FindProblem(settings.LayersFrom, architecture, sources) is { } problem)
            yield return new BrokenRule(GivenLayers.Setting, problem);
    }

    private static IEnumerable<BrokenRule> CheckSelection(ScenarioSettings settings, IReadOnlyList<string> methods)
    {
        if (settings.Select == ModelChoice.Merged) yield break;
        var single = MethodRegistry.All.Where(method => method.Role == MethodRole.SingleSource).Select(method => method.Name).ToList();
        if (methods.Intersect(single).Any()) yield break;
        yield return new BrokenRule(
            Select,
            $"'{Select}' is 'best', which keeps the best single source's model where merging is not better, and no such method is among " +
            $"the 'methods': add one of {string.Join(", ", single)}");
    }

    private static IEnumerable<BrokenRule> CheckMix(ScenarioSettings settings)
    {
        if (settings.BatchNorm != BatchNormPolicy.Mix) yield break;
        if (settings.Rescaling == Rescaling.Repair)
        {
            yield return new BrokenRule(
                BatchNorm,
                $"'{BatchNorm}' 'mix' takes the merged model's own statistics, which leaves 'rescaling' 'repair' nothing to do");
        }
        if (settings.KernelWeights.BatchSize < TrainingBounds.MinBatchSize * settings.KernelWeights.Shards)
        {
            yield return new BrokenRule(
                KernelWeightShards,
                $"'{BatchNorm}' 'mix' normalises by a shard's own images: '{KernelWeightBatch}' ({settings.KernelWeights.BatchSize}) " +
                $"must have at least {TrainingBounds.MinBatchSize} for each of '{KernelWeightShards}' ({settings.KernelWeights.Shards})");
        }
    }

    private static IEnumerable<BrokenRule> Check(KernelWeightSettings settings, int sources)
    {
        if (settings.BatchSize % settings.Shards != 0)
        {
            yield return new BrokenRule(
                KernelWeightShards,
                $"'{KernelWeightBatch}' ({settings.BatchSize}) must be a multiple of '{KernelWeightShards}' ({settings.Shards})");
        }
        if (sources > 1 && settings.AnchorWeight <= 1.0 / sources)
        {
            yield return new BrokenRule(AnchorWeight, string.Create(
                CultureInfo.InvariantCulture,
                $"'{AnchorWeight}' ({settings.AnchorWeight}) must be above an equal share (1/{sources})"));
        }
        if (sources != 2 && settings.Parameterisation == KernelWeightParameterisation.Sigmoid)
            yield return new BrokenRule(Parameterisation, $"'{Parameterisation}' 'sigmoid' is for two sources; there are {sources}");
        var hasShares = settings.Parameterisation is KernelWeightParameterisation.Softmax or KernelWeightParameterisation.Sigmoid;
        if (settings.EntropyPenalty != 0 && !hasShares)
            yield return new BrokenRule(EntropyPenalty, $"'{EntropyPenalty}' needs shares: '{Parameterisation}' 'softmax' or 'sigmoid'");
    }

    private static IEnumerable<BrokenRule> Check(FineTuneSettings settings)
    {
        var isMultiple = settings.BatchSize % settings.Shards == 0;
        var isEnough = settings.Shards == 1 || settings.BatchSize >= TrainingBounds.MinBatchSize * settings.Shards;
        if (isMultiple && isEnough) yield break;
        yield return new BrokenRule(
            FineTuneShards,
            $"'{FineTuneBatch}' ({settings.BatchSize}) must be a multiple of '{FineTuneShards}' ({settings.Shards}), " +
            $"with at least {TrainingBounds.MinBatchSize} images for each");
    }
}
