using MedMerge.Merging;
using MedMerge.Merging.Alignment;
using MedMerge.Statistics;
using MedMerge.Training;

namespace MedMerge.Experiments.Specifications;

/// <summary>The words that settings with a choice take, in the order of documentation.</summary>
internal static class SettingWords
{
    public static IReadOnlyDictionary<string, ClassWeighting> ClassWeightings { get; } = new OrderedDictionary<string, ClassWeighting>
    {
        ["none"] = ClassWeighting.None,
        ["balanced"] = ClassWeighting.Balanced,
    };

    public static IReadOnlyDictionary<string, ClassSampling> Samplings { get; } = new OrderedDictionary<string, ClassSampling>
    {
        ["once"] = ClassSampling.Once,
        ["balanced"] = ClassSampling.Balanced,
    };

    public static IReadOnlyDictionary<string, Metric> Metrics { get; } = new OrderedDictionary<string, Metric>
    {
        ["macro-f1"] = Metric.MacroF1,
        ["balanced-accuracy"] = Metric.BalancedAccuracy,
        ["accuracy"] = Metric.Accuracy,
        ["auc"] = Metric.Auc,
        ["quadratic-kappa"] = Metric.QuadraticKappa,
    };

    public static IReadOnlyDictionary<string, SourceInput> SourceInputs { get; } = new OrderedDictionary<string, SourceInput>
    {
        ["target"] = SourceInput.Target,
        ["source"] = SourceInput.Source,
    };

    public static IReadOnlyDictionary<string, BatchNormPolicy> BatchNormPolicies { get; } =
        new OrderedDictionary<string, BatchNormPolicy>
        {
            ["fold"] = BatchNormPolicy.Fold,
            ["mix"] = BatchNormPolicy.Mix,
        };

    public static IReadOnlyDictionary<string, Rescaling> Rescalings { get; } = new OrderedDictionary<string, Rescaling>
    {
        ["none"] = Rescaling.None,
        ["repair"] = Rescaling.Repair,
    };

    public static IReadOnlyDictionary<string, ModelChoice> ModelChoices { get; } = new OrderedDictionary<string, ModelChoice>
    {
        ["merged"] = ModelChoice.Merged,
        ["best"] = ModelChoice.Best,
    };

    public static IReadOnlyDictionary<string, AlignmentMethod> Alignments { get; } = new OrderedDictionary<string, AlignmentMethod>
    {
        ["none"] = AlignmentMethod.None,
        ["weights"] = AlignmentMethod.Weights,
        ["activations"] = AlignmentMethod.Activations,
    };

    public static IReadOnlyDictionary<string, KernelWeightStart> Starts { get; } = new OrderedDictionary<string, KernelWeightStart>
    {
        ["anchored"] = KernelWeightStart.Anchored,
        ["uniform"] = KernelWeightStart.Uniform,
    };

    public static IReadOnlyDictionary<string, KernelWeightGranularity> Granularities { get; } =
        new OrderedDictionary<string, KernelWeightGranularity>
        {
            ["filter"] = KernelWeightGranularity.Filter,
            ["layer"] = KernelWeightGranularity.Layer,
            ["model"] = KernelWeightGranularity.Model,
            ["kernel2d"] = KernelWeightGranularity.Kernel2d,
        };

    public static IReadOnlyDictionary<string, KernelWeightParameterisation> Parameterisations { get; } =
        new OrderedDictionary<string, KernelWeightParameterisation>
        {
            ["softmax"] = KernelWeightParameterisation.Softmax,
            ["sigmoid"] = KernelWeightParameterisation.Sigmoid,
            ["free"] = KernelWeightParameterisation.Free,
            ["clamped"] = KernelWeightParameterisation.Clamped,
        };
}
