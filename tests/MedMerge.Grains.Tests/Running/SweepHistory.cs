using System.Diagnostics.CodeAnalysis;
using MedMerge.Data;
using MedMerge.Experiments.Planning;
using MedMerge.Experiments.Stages;
using MedMerge.Grains.Running;
using MedMerge.Grains.Work;
using MedMerge.Storage;

namespace MedMerge.Grains.Tests.Running;

/// <summary>
/// A sweep's life with everything that can happen to it, drawn from a seed: answers that are late, doubled or lost, changes that are not
/// written, nodes that die, budgets that are spent, and users who steer and extend it. Only the decisions are real: the record and how it
/// is kept, what begins next, what an answer means, and which candidates go on.
/// </summary>
internal sealed class SweepHistory
{
    private const ulong Stream = 1234;
    private const int Lanes = 3;
    private const int MaxCandidates = 8, MaxSeeds = 4;
    private const int SegmentSize = 4;
    private readonly RandomStream _random;
    private readonly bool _isHarmless;
    private readonly int _rungs;
    private readonly HashSet<int> _supervised = [];
    private readonly List<(int Trial, int Attempt, int Rung, bool Fails)> _answers = [];
    private readonly HashSet<string> _done = [];
    private readonly Dictionary<string, byte[]> _segments = [];
    private int _candidates;
    private int _seeds;
    private PlanSummary _plan;
    private SearchRungs? _search;
    private SweepRecord _record;
    private int _deaths;

    private SweepHistory(ulong seed, bool isHarmless)
    {
        _random = new RandomStream(seed, Stream);
        _isHarmless = isHarmless;
        _candidates = 2 + _random.Below(5);
        _seeds = 1 + _random.Below(2);
        _rungs = _random.Below(3);
        Plan();
        _record = SweepRecord.Start("s", "spec", "plan", [], [], DateTimeOffset.UnixEpoch, trace: null)
            .Planned(_plan.Trials.Count, new SweepLimits(Parallel: 1 + _random.Below(Lanes)));
    }

    /// <summary>What became of each trial.</summary>
    public IReadOnlyList<(WorkState State, int Rung)> Outcome => [.. _record.Trials.Select(trial => (trial.State, trial.Rung))];

    /// <summary>Lives a history to its end.</summary>
    /// <param name="isHarmless">Whether nothing happens that may change what becomes of a trial.</param>
    /// <param name="steps">Of trouble; 0 for an undisturbed life.</param>
    /// <exception cref="InvalidOperationException">An invariant is broken.</exception>
    public static SweepHistory Live(ulong seed, bool isHarmless, int steps)
    {
        var history = new SweepHistory(seed, isHarmless);
        for (var step = 0; step < steps; step++) history.Happen();
        history.End();
        return history;
    }

    [MemberNotNull(nameof(_plan))]
    private void Plan()
    {
        _plan = SearchPlans.Create(_candidates, _seeds, _rungs);
        _search = _plan.Halving is null ? null : new SearchRungs(_plan);
    }

    private void Happen()
    {
        switch (_random.Below(12))
        {
            case 0:
                Crash();
                break;
            case 1 when !_isHarmless && _random.Below(4) == 0:
                Extend();
                break;
            case 1 when !_isHarmless:
                Steer();
                break;
            case 1 or 2:
                Change(record => record.ChangedTo(record.State == WorkState.Running ? WorkState.Paused : WorkState.Running));
                break;
            case 3:
                var limits = new SweepLimits(Parallel: 1 + _random.Below(Lanes), Priority: _random.Below(3));
                if (!_isHarmless) limits = limits with { Trials = DrawBudget(), DeviceHours = DrawBudget() };
                Change(record => record with { Limits = limits });
                break;
            case 4 when _answers.Count > 0: // lost: its supervisor asks again
                _answers.RemoveAt(_random.Below(_answers.Count));
                break;
            case 5 when _answers.Count > 0:
                _answers.Add(_answers[_random.Below(_answers.Count)]);
                break;
            default:
                Work();
                break;
        }
    }

    /// <summary>One thing that a node does: begin what comes next, ask a trial, or take an answer.</summary>
    private void Work()
    {
        if (_record.State != WorkState.Running)
        {
            _supervised.Clear();
            return;
        }
        if (_answers.Count > 0 && _random.Below(2) == 0) Take(_answers[_random.Below(_answers.Count)]);
        else if (_supervised.Count > 0 && _random.Below(2) == 0) Ask(_supervised.ElementAt(_random.Below(_supervised.Count)));
        else Begin();
    }

    private void Begin()
    {
        if (_search?.HasDecision(_record) == true) Change(_search.Decide);
        _supervised.RemoveWhere(number => !_record.Trials.Running.Contains(number));
        var limits = _record.Limits!;
        var begun = CountBegun();
        var next = SweepSchedule.Next(_record, _supervised, Lanes);
        var isSpent = begun >= limits.Trials || _record.DeviceSeconds >= limits.DeviceHours * 3600;
        Require(!isSpent || next.All(_record.Trials.Running.Contains), "a trial begins though the budget is spent");
        foreach (var number in next)
        {
            _supervised.Add(number);
            Change(record => record.WithTrial(number, trial => trial.Started(trace: null)));
        }
        Require(CountBegun() <= Math.Max(begun, limits.Trials ?? int.MaxValue), "more trials have begun than the budget allows");
        Require(next.Count == 0 || _supervised.Count <= (limits.Parallel ?? Lanes), "more trials run than may");
        if (_supervised.Count == 0 && SweepSchedule.IsBudgetSpent(_record))
            Change(record => record.WithoutTrials(record.Trials.Startable, TrialRecord.LeftOutByBudget));
        Change(record => record.Completed());
        Require(_record.State != WorkState.Done || _record.Trials.Counts.Pending == 0, "it is done, and trials are not");
    }

    private int CountBegun() => _record.Trials.Count(trial => !trial.IsStartable && trial.State != WorkState.Cancelled);

    private int? DrawBudget() => _random.Below(2) == 0 ? null : 1 + _random.Below(_record.Trials.Count);

    /// <summary>A user adds a candidate or a seed: all numbers may change, and what runs is stopped first.</summary>
    private void Extend()
    {
        var addsSeed = _random.Below(2) == 0;
        if (addsSeed ? _seeds == MaxSeeds : _candidates == MaxCandidates) return;
        _supervised.Clear();
        _answers.Clear();
        if (_random.Below(20) == 0) return; // the node dies before it is written
        var (before, kept) = (_plan, _record.Trials);
        _seeds += addsSeed ? 1 : 0;
        _candidates += addsSeed ? 0 : 1;
        Plan();
        SweepExtension.Check(before, _plan);
        _record = SweepExtension.Apply(_record, before, _plan);
        foreach (var trial in before.Trials)
        {
            var same = _plan.Trials.Single(other => other.Predictions == trial.Predictions);
            Require(_record.Trials.Get(same.Number) == kept.Get(trial.Number), $"what became of '{trial.Predictions}' is lost");
        }
        Seal();
        Check();
    }

    private void Ask(int number)
    {
        var trial = _record.Trials.Get(number);
        if (trial.State != WorkState.Running) return;
        _answers.Add((number, trial.Attempt, trial.Rung, Fails: _random.Below(4) == 0));
    }

    private void Take((int Trial, int Attempt, int Rung, bool Fails) answer)
    {
        _answers.Remove(answer);
        var kind = _isHarmless || _random.Below(3) > 0 ? FailureKind.Transient : FailureKind.Permanent;
        // What fails harmlessly fails a few times at most.
        var fails = answer.Fails && (!_isHarmless || _record.Trials.Get(answer.Trial).Failures < RetryPolicy.MaxAttempts - 1);
        var failure = fails ? new Failure(kind, "why") : null;
        var isRung = answer.Rung < _plan.Trials[answer.Trial - 1].Rungs.Count;
        var reached = !fails && isRung ? new RungScore(Score(_plan.Trials[answer.Trial - 1], answer.Rung)) : null;
        var seconds = 600.0 * _random.Below(10);
        Change(record => record.WithTrial(answer.Trial, trial => trial.AfterAttempt(answer.Attempt, failure, reached)) with
        {
            DeviceSeconds = record.DeviceSeconds + seconds,
        });
    }

    /// <summary>What a trial scores depends on it alone.</summary>
    private static double? Score(PlannedTrial trial, int rung)
    {
        var score = new RandomStream((ulong)trial.Scenario, trial.Seed, (ulong)rung, Stream).NextDouble();
        return score < 0.1 ? null : score;
    }

    private void Steer()
    {
        var number = 1 + _random.Below(_record.Trials.Count);
        switch (_random.Below(6))
        {
            case 0:
                Change(record => record.WithoutTrials([number], TrialRecord.SkippedByUser));
                break;
            case 1:
                Change(record => record.Retried([number]));
                break;
            case 2:
                _done.Clear(); // results are lost, and computed again
                Change(record => record.Invalidated([number]));
                break;
            case 3:
                Change(record => record.ChangedTo(WorkState.Cancelled));
                break;
            case 4:
                Change(record => record.Retried(record.Trials.NumbersWhere(trial => trial.HasFailed)));
                break;
            default:
                var progress = new StoredProgress(_deaths++ / 2, 0);
                Change(record => record.WithTrial(number, trial => trial.Survived([], progress)));
                break;
        }
    }

    /// <summary>The node dies: what it knew is gone, and the next one reads the record.</summary>
    private void Crash()
    {
        _supervised.Clear();
        var before = _record;
        var head = Manifest.Read<SweepHead>(Manifest.Write("sweep", "", SweepHead.Of(_record)), "sweep")!;
        _record = head.Load(head.Segments.Select(ReadSegment));
        foreach (var number in Enumerable.Range(1, before.Trials.Count))
        {
            var (kept, was) = (_record.Trials.Get(number), before.Trials.Get(number));
            Require(kept with { Scores = was.Scores, Nodes = was.Nodes } == was, $"trial {number} is not kept");
            Require(kept.Scores.SequenceEqual(was.Scores), $"the scores of trial {number} are not kept");
        }
        Check();
    }

    private Dictionary<int, TrialRecord> ReadSegment(string name) =>
        StoredTrial.Load(Manifest.Read<SweepSegment>(_segments[name], "outcomes")!.Trials, []);

    /// <summary>Moves what has ended from the head to a segment, as the store does, only sooner.</summary>
    private void Seal()
    {
        var settled = _record.Trials.Settled;
        if (settled.Count < SegmentSize) return;
        var name = $"{_segments.Count}";
        _segments[name] = Manifest.Write("outcomes", "", new SweepSegment(StoredTrial.Of(settled, [])));
        _record = _record with { Trials = _record.Trials.Sealed(name) };
    }

    /// <summary>A change, or none where the node dies before it is written.</summary>
    private void Change(Func<SweepRecord, SweepRecord> change)
    {
        if (_random.Below(20) == 0)
        {
            _supervised.Clear();
            return;
        }
        var before = _record;
        _record = change(_record);
        if (ReferenceEquals(before, _record)) return;
        foreach (var number in Enumerable.Range(1, before.Trials.Count))
            Require(_record.Trials.Get(number).Attempt >= before.Trials.Get(number).Attempt, $"attempts of trial {number} went back");
        Seal();
        Check();
    }

    private void End()
    {
        for (var round = 0; round < 100_000; round++)
        {
            if (_record.State is WorkState.Paused or WorkState.Cancelled) Change(record => record.ChangedTo(WorkState.Running));
            if (_record.State == WorkState.Done)
            {
                if (!_record.Trials.Any(trial => trial.Reason == TrialRecord.LeftOutByBudget)) return;
                Change(record => record.ChangedTo(WorkState.Running) with { Limits = new SweepLimits(Lanes) }); // with a larger budget
            }
            Work();
        }
        throw new InvalidOperationException($"It does not end: {string.Join(", ", Outcome)}.");
    }

    private void Check()
    {
        var trials = _record.Trials;
        var counted = trials.Aggregate(new TrialCounts(0), (counts, trial) => counts.Add(trial.State, trial.Kind, 1));
        Require(counted == trials.Counts, "the counts are wrong");
        Require(trials.Running.SetEquals(trials.NumbersWhere(trial => trial.State == WorkState.Running)), "what runs is wrong");
        Require(trials.Startable.SetEquals(trials.NumbersWhere(trial => trial.IsStartable)), "what may begin is wrong");
        Require(trials.Held.SetEquals(trials.NumbersWhere(trial => trial.IsHeld)), "what waits at a rung is wrong");
        foreach (var trial in _plan.Trials)
        {
            if (trials.Get(trial.Number).State == WorkState.Done) _done.Add(trial.Predictions);
            else Require(!_done.Contains(trial.Predictions), $"the result of trial {trial.Number} is lost");
        }
    }

    private static void Require(bool holds, string otherwise)
    {
        if (!holds) throw new InvalidOperationException($"Broken: {otherwise}.");
    }
}
