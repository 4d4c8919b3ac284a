using System.Collections.Concurrent;
using System.Reflection;
using System.Threading.Channels;

namespace MedMerge.Grains.Tests.Running;

/// <summary>A grain factory that gives out fakes by their key.</summary>
internal class FakeGrains : DispatchProxy
{
    private Func<Type, string, object> _find = null!;

    /// <param name="find">The grain of an interface and a key.</param>
    public static IGrainFactory Create(Func<Type, string, object> find)
    {
        var factory = Create<IGrainFactory, FakeGrains>();
        ((FakeGrains)(object)factory)._find = find;
        return factory;
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args) =>
        targetMethod is { Name: nameof(IGrainFactory.GetGrain), IsGenericMethod: true } && args is [string key, ..]
            ? _find(targetMethod.GetGenericArguments()[0], key)
            : throw new NotSupportedException($"{targetMethod}");
}

/// <summary>Calls to a grain, each answered by the test.</summary>
internal sealed class PendingCalls<TRequest, TAnswer>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly Channel<Call> _calls = Channel.CreateUnbounded<Call>();

    /// <summary>The grain's side: a call that waits for its answer.</summary>
    public Task<TAnswer> AddAsync(TRequest request)
    {
        var call = new Call(request);
        _calls.Writer.TryWrite(call);
        return call.Answer.Task;
    }

    /// <summary>The test's side: waits for the next call.</summary>
    public Task<Call> NextAsync() =>
        _calls.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(Deadline, TestContext.Current.CancellationToken);

    /// <summary>Waits for a call and leaves it there.</summary>
    public Task PendingAsync() => _calls.Reader.WaitToReadAsync(TestContext.Current.CancellationToken).AsTask();

    public sealed record Call(TRequest Request)
    {
        public TaskCompletionSource<TAnswer> Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}

/// <summary>A trial whose every answer the test gives.</summary>
internal sealed class FakeTrial : ITrialGrain
{
    private int _stops;

    public PendingCalls<TrialRequest, TrialStatus> Calls { get; } = new();

    /// <summary>How often it was stopped.</summary>
    public int Stops => Volatile.Read(ref _stops);

    public Task<TrialStatus> RunAsync(TrialRequest request) => Calls.AddAsync(request);

    public Task StopAsync()
    {
        Interlocked.Increment(ref _stops);
        return Task.CompletedTask;
    }

    /// <summary>Waits for the next call and answers it.</summary>
    /// <param name="meanwhile">What happens while the call waits; all earlier answers have had their effect.</param>
    public async Task<TrialRequest> AnswerAsync(
        WorkState state,
        IReadOnlyList<string>? nodes = null,
        Failure? failure = null,
        Action? meanwhile = null)
    {
        var call = await Calls.NextAsync();
        meanwhile?.Invoke();
        call.Answer.SetResult(new TrialStatus(state, nodes ?? [], null, [], [], failure));
        return call.Request;
    }
}

/// <summary>Trials by their key.</summary>
internal sealed class FakeTrials
{
    private readonly ConcurrentDictionary<string, FakeTrial> _trials = new();

    public IGrainFactory Factory => FakeGrains.Create((type, key) =>
        type == typeof(ILaneShareGrain) ? new AllLanes() : _trials.GetOrAdd(key, _ => new FakeTrial()));

    /// <param name="key">The grain's.</param>
    public FakeTrial this[string key] => _trials.GetOrAdd(key, _ => new FakeTrial());

    /// <param name="number">From 1.</param>
    public FakeTrial this[string sweep, int number] => _trials.GetOrAdd($"{sweep}/{number}", _ => new FakeTrial());

    /// <summary>Gives a sweep all lanes: it is the only one.</summary>
    private sealed class AllLanes : ILaneShareGrain
    {
        public Task<int> GetShareAsync(LaneRequest request) => Task.FromResult(request.Lanes);
    }
}
