namespace MedMerge.Training;

/// <summary>Adam (Kingma and Ba 2015, algorithm 1) over plain float64 numbers, for the coordinator, which has no device.</summary>
/// <param name="length">The number of parameters.</param>
public sealed class Adam(int length)
{
    private const double Beta1 = 0.9, Beta2 = 0.999, Epsilon = 1e-8;
    private readonly double[] _mean = new double[length];
    private readonly double[] _square = new double[length];
    private int _steps;

    /// <summary>One step down <paramref name="gradient"/>, in place.</summary>
    public void Step(double[] parameters, ReadOnlySpan<double> gradient, double learningRate)
    {
        _steps++;
        var (correction1, correction2) = (1 - Math.Pow(Beta1, _steps), 1 - Math.Pow(Beta2, _steps));
        for (var i = 0; i < parameters.Length; i++)
        {
            _mean[i] = (Beta1 * _mean[i]) + ((1 - Beta1) * gradient[i]);
            _square[i] = (Beta2 * _square[i]) + ((1 - Beta2) * gradient[i] * gradient[i]);
            parameters[i] -= learningRate * (_mean[i] / correction1) / (Math.Sqrt(_square[i] / correction2) + Epsilon);
        }
    }
}
