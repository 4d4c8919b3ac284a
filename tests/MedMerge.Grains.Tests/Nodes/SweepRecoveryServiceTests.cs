using System.Collections.Concurrent;
using MedMerge.Grains.Nodes;
using MedMerge.Grains.Tests.Running;
using MedMerge.Storage;
using MedMerge.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Nodes;

/// <summary>Sweeps that can't be woken, before others in the order of names.</summary>
public sealed class SweepRecoveryServiceTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly string _folder = Directory.CreateTempSubdirectory("medmerge-recovery-").FullName;
    private readonly FakeTimeProvider _time = new();
    private readonly RecordingLogger _log = new();
    private readonly ConcurrentDictionary<string, FakeSweep> _grains = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task A_sweep_whose_record_is_damaged_or_whose_grain_fails_or_hangs_keeps_no_other_from_being_woken()
    {
        var sweeps = new SweepStore(new FolderObjectStore(_folder));
        foreach (var id in new[] { "a-damaged", "b-fails", "c-hangs", "d" })
            await sweeps.TryCreateAsync(id, SweepRecord.Start(id, "spec", "plan", [], [], _time.GetUtcNow(), trace: null), Cancellation);
        Find("a-damaged").Answer = Task.FromException(new InvalidDataException("The record is damaged."));
        Find("b-fails").Answer = Task.FromException(new InvalidDataException("The plan is missing."));
        Find("c-hangs").Answer = new TaskCompletionSource().Task;
        var factory = FakeGrains.Create((_, id) => Find(id));
        var cluster = new FakeMembership().View;
        using var service = new SweepRecoveryService(sweeps, cluster, factory, _time, _log.CreateLogger<SweepRecoveryService>());

        await service.StartAsync(Cancellation);
        Assert.True(await Find("c-hangs").Woken.WaitAsync(Deadline, Cancellation));
        for (var round = 1; round <= 3; round++)
            foreach (var id in new[] { "b-fails", "d" }) await WaitForCallAsync(id);
        string[] failing = ["a-damaged", "b-fails"];
        Assert.True(SpinWait.SpinUntil(() => Logged().Count() >= failing.Length, Deadline));
        await service.StopAsync(Cancellation);

        Assert.Equal(0, Find("c-hangs").Woken.CurrentCount); // a call that is not answered is not made again
        Assert.Equal(failing, Logged().Order()); // each once

        IEnumerable<string> Logged() => _log.Lines.Where(line => line.Level == LogLevel.Warning).Select(line => line.Message.Split(' ')[1]);
    }

    /// <summary>A call that has not ended when its turn comes is left out of that round; it follows in the next.</summary>
    private async Task WaitForCallAsync(string id)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        deadline.CancelAfter(Deadline);
        while (!await Find(id).Woken.WaitAsync(TimeSpan.FromMilliseconds(100), deadline.Token)) _time.Advance(SweepRecoveryService.Period);
    }

    private FakeSweep Find(string id) => _grains.GetOrAdd(id, _ => new FakeSweep());

    private sealed class FakeSweep : ISweepGrain
    {
        public Task Answer { get; set; } = Task.CompletedTask;

        /// <summary>Entered once for each call.</summary>
        public SemaphoreSlim Woken { get; } = new(0);

        public Task WakeAsync()
        {
            Woken.Release();
            return Answer;
        }

        public Task StartAsync(StartSweep start) => throw new NotSupportedException();

        public Task<SweepStatus> StatusAsync(long knownVersion) => throw new NotSupportedException();

        public Task<SweepStatus> PauseAsync() => throw new NotSupportedException();

        public Task<SweepStatus> ResumeAsync() => throw new NotSupportedException();

        public Task<SweepStatus> CancelAsync() => throw new NotSupportedException();

        public Task<SweepStatus> RepairAsync(string stage) => throw new NotSupportedException();

        public Task<TrialPage> TrialsAsync(TrialQuery query) => throw new NotSupportedException();

        public Task<SweepStatus> RetryAsync(TrialChoice trials) => throw new NotSupportedException();

        public Task<SweepStatus> SkipAsync(int number) => throw new NotSupportedException();

        public Task<SweepStatus> LimitAsync(SweepLimits limits) => throw new NotSupportedException();

        public Task<SweepStatus> ExtendAsync(StartSweep extended) => throw new NotSupportedException();
    }
}
