namespace MedMerge.Grains;

/// <summary>
/// The grain calls that are made over and over: every second to renew a lease, every step for a gradient.
/// </summary>
public static class RepeatedCalls
{
    /// <summary>As Orleans names their spans: interface and method.</summary>
    public static IReadOnlySet<string> Names { get; } = new HashSet<string>
    {
        $"{nameof(ISweepGrain)}/{nameof(ISweepGrain.StatusAsync)}",
        $"{nameof(ISweepGrain)}/{nameof(ISweepGrain.WakeAsync)}",
        $"{nameof(ITrialGrain)}/{nameof(ITrialGrain.RunAsync)}",
        $"{nameof(IStageGrain)}/{nameof(IStageGrain.RunAsync)}",
        $"{nameof(IShardGrain)}/{nameof(IShardGrain.PutAsync)}",
        $"{nameof(IShardGrain)}/{nameof(IShardGrain.GradientAsync)}",
        $"{nameof(IShardGrain)}/{nameof(IShardGrain.GetAsync)}",
        $"{nameof(IClusterInfoGrain)}/{nameof(IClusterInfoGrain.ListAsync)}",
        $"{nameof(INodeGrain)}/{nameof(INodeGrain.StateAsync)}",
    };
}
