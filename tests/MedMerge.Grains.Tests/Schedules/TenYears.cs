using System.Text.Json;
using MedMerge.Grains.Schedules;
using MedMerge.Storage;
using MedMerge.Storage.Schedules;
using MedMerge.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace MedMerge.Grains.Tests.Schedules;

/// <summary>
/// Many schedules over many years, by nodes whose calls are interleaved, that die at any call, whose clocks disagree and jump, and that are
/// all gone for days now and then.
/// </summary>
internal sealed class TenYears
{
    private static readonly TimeSpan MaxJump = TimeSpan.FromHours(3);

    /// <summary>All nodes are gone for so long at most: a history keeps what becomes of a daily schedule's times meanwhile.</summary>
    private static readonly TimeSpan MaxOutage = TimeSpan.FromDays(12);

    private readonly Random _random;
    private readonly FakeTimeProvider _time;
    private readonly MemoryObjectStore _objects;
    private readonly SweepStore _sweeps;
    private readonly Dictionary<string, Schedule> _records = [];
    private readonly PriorityQueue<string, DateTimeOffset> _looks = new();
    private readonly Dictionary<string, DateTimeOffset> _ends = [];
    private DateTimeOffset _outage; // when the last one ended

    public TenYears(int seed, DateTimeOffset start)
    {
        _random = new Random(seed);
        _time = new FakeTimeProvider(start);
        _objects = new MemoryObjectStore(_time) { Written = OnWritten };
        _sweeps = new SweepStore(_objects);
    }

    /// <summary>What became of each schedule's times, as its record has said.</summary>
    public Dictionary<string, Dictionary<DateTimeOffset, ScheduleOutcome>> Outcomes { get; } = [];

    /// <summary>Ids of the sweeps that were submitted, each as often as it was.</summary>
    public List<string> Submitted { get; } = [];

    /// <summary>How often a node died.</summary>
    public int Kills { get; private set; }

    /// <summary>Adds a schedule.</summary>
    public async Task AddAsync(Schedule schedule)
    {
        Outcomes[schedule.Name] = [];
        await new ScheduleStore(_objects).TryCreateAsync(schedule, CancellationToken.None);
        _looks.Enqueue(schedule.Name, schedule.NextDue!.Value);
    }

    /// <summary>Lives until a time; then all clocks are right, and all nodes live until everything is settled.</summary>
    public async Task RunAsync(DateTimeOffset end)
    {
        while (_looks.TryDequeue(out var name, out var when) && when <= end)
        {
            if (when > _time.GetUtcNow()) await AdvanceAsync(when);
            if (_random.Next(500) == 0 && _time.GetUtcNow() > _outage.AddDays(1)) // in between every schedule is looked at
                await AdvanceAsync(_outage = Earlier(end, _time.GetUtcNow() + (MaxOutage * _random.NextDouble())));
            var isCalm = end - _time.GetUtcNow() < 2 * MaxJump;
            await LookAsync(name, isCalm);
            _looks.Enqueue(name, FindNextLook(_records[name]));
        }
        await AdvanceAsync(end);
        foreach (var name in _records.Keys)
        {
            while (ScheduleDecision.IsNeeded(_records[name], end))
            {
                await EndSweepsAsync(DateTimeOffset.MaxValue);
                await CreateRunner(_objects, TimeSpan.Zero).RunAsync(name, CancellationToken.None);
            }
        }
    }

    private static DateTimeOffset Earlier(DateTimeOffset one, DateTimeOffset other) => one < other ? one : other;

    private async Task LookAsync(string name, bool isCalm)
    {
        var interleaving = new Interleaving(_random);
        var nodes = _random.Next(3) == 0 ? 2 : 1;
        Kills += await interleaving.RunAsync(Enumerable.Range(0, nodes).Select<int, Func<Task>>(_ =>
        {
            var isKilled = _random.Next(3) == 0;
            var store = new InterleavedStore(_objects, interleaving, isKilled ? _random.Next(8) : -1, _random.Next(2) == 0);
            var runner = CreateRunner(store, isCalm ? TimeSpan.Zero : FindClockError());
            return () => runner.RunAsync(name, CancellationToken.None);
        }));
    }

    /// <summary>Clocks differ by seconds, and jump by hours now and then.</summary>
    private TimeSpan FindClockError() => _random.Next(20) == 0
        ? MaxJump * (2 * _random.NextDouble() - 1)
        : TimeSpan.FromSeconds(_random.Next(-40, 40));

    private DateTimeOffset FindNextLook(Schedule schedule)
    {
        var soon = _time.GetUtcNow().AddSeconds(_random.Next(1, 20));
        if (schedule.Queue.Count > 0) return soon.AddMinutes(_random.Next(60));
        return schedule.NextDue > soon ? schedule.NextDue.Value.AddSeconds(_random.Next(10)) : soon;
    }

    private async Task AdvanceAsync(DateTimeOffset time)
    {
        _time.SetUtcNow(time);
        await EndSweepsAsync(time);
    }

    private async Task EndSweepsAsync(DateTimeOffset upTo)
    {
        foreach (var (id, _) in _ends.Where(end => end.Value <= upTo).ToList())
        {
            _ends.Remove(id);
            await _sweeps.UnmarkAsync(id, CancellationToken.None);
        }
    }

    private ScheduleRunner CreateRunner(IObjectStore objects, TimeSpan clockError)
    {
        var artefacts = new ArtefactStore(objects);
        return new ScheduleRunner(
            new ScheduleStore(objects),
            new SweepStore(objects),
            new SchedulePlans(new PlanCache(artefacts), artefacts),
            new FakeTimeProvider(_time.GetUtcNow() + clockError),
            NullLogger<ScheduleRunner>.Instance);
    }

    private void OnWritten(string name, ReadOnlyMemory<byte> content)
    {
        if (name.StartsWith("active/", StringComparison.Ordinal)) PlanEnd(name["active/".Length..]);
        if (name.StartsWith(SweepStore.Prefix, StringComparison.Ordinal)) Submitted.Add(name[SweepStore.Prefix.Length..]);
        if (!name.StartsWith(ScheduleStore.Prefix, StringComparison.Ordinal)) return;
        var record = JsonSerializer.Deserialize<Written>(content.Span, JsonSerializerOptions.Web)!.Body;
        var known = _records.GetValueOrDefault(record.Name)?.History ?? [];
        foreach (var item in record.History.Except(known))
        {
            var isNew = Outcomes[record.Name].TryAdd(item.Run.Time, item.Outcome);
            if (!isNew) throw new InvalidOperationException($"{record.Name} has decided about {item.Run.Time:u} twice: {item.Outcome}.");
        }
        _records[record.Name] = record;
    }

    /// <summary>A manifest; its hash is others' to check.</summary>
    private sealed record Written(Schedule Body);

    /// <summary>Most sweeps take an hour at most, some days.</summary>
    private void PlanEnd(string id) =>
        _ends[id] = _time.GetUtcNow().AddHours((_random.Next(10) == 0 ? 100 : 1) * _random.NextDouble());
}
