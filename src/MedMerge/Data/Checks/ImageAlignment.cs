namespace MedMerge.Data.Checks;

/// <summary>
/// Finds the section of one image that is most like another, by raising their correlation with Gauss-Newton steps (Evangelidis and
/// Psarakis 2008, with two stretches and two shifts). Correlation does not see brightness and contrast.
/// </summary>
internal static class ImageAlignment
{
    private const int Side = ImageFingerprint.Side;
    private const int Unknowns = 5; // two stretches, two shifts, a constant
    private const int MaxSteps = 8;
    private static readonly double[] Promising = [0.85, 0.91, 0.94, 0.955]; // after so many steps; the last counts from there on
    private const double MinGain = 1e-4;
    private const double Damping = 1e-3;
    private const float MaxStretch = 0.2f;
    private const float MaxShift = 3;
    private const double MinOverlap = 0.6;

    /// <summary>The largest correlation that is found, −1 … 1; steps that promise nothing are not taken.</summary>
    /// <param name="template">[side × side].</param>
    /// <param name="image">[side × side], of which a section is sought.</param>
    /// <param name="start">Where the search starts.</param>
    public static double Correlate(float[] template, float[] image, ImageSection start)
    {
        var section = start;
        var best = -1.0;
        var pixels = new Overlap();
        for (var step = 0; step <= MaxSteps; step++)
        {
            pixels.Measure(template, image, section);
            var gain = pixels.Correlation - best;
            best = Math.Max(best, pixels.Correlation);
            var isHopeless = best < Promising[Math.Min(step, Promising.Length - 1)];
            if (pixels.Share < MinOverlap || isHopeless || gain < MinGain) break;
            if (pixels.Solve(image, section) is not { } change) break;
            section = new ImageSection(
                Math.Clamp(section.StretchY + (float)change[0], -MaxStretch, MaxStretch),
                Math.Clamp(section.ShiftY + (float)change[1], -MaxShift, MaxShift),
                Math.Clamp(section.StretchX + (float)change[2], -MaxStretch, MaxStretch),
                Math.Clamp(section.ShiftX + (float)change[3], -MaxShift, MaxShift));
        }
        return best;
    }

    /// <summary>The pixels that a section and its template share.</summary>
    private sealed class Overlap
    {
        private readonly float[] _template = new float[Side * Side];
        private readonly float[] _values = new float[Side * Side];
        private readonly byte[] _rows = new byte[Side * Side];
        private readonly byte[] _columns = new byte[Side * Side];
        private int _count;
        private double _templateMean;
        private double _mean;
        private double _gain;

        public double Correlation { get; private set; }

        /// <summary>Of the template's pixels.</summary>
        public double Share => (double)_count / (Side * Side);

        public void Measure(ReadOnlySpan<float> template, ReadOnlySpan<float> image, ImageSection section)
        {
            _count = 0;
            var (sum, templateSum) = (0.0, 0.0);
            for (var y = 0; y < Side; y++)
            {
                var row = section.GetRow(y);
                if (row is < 0 or > Side - 1) continue;
                for (var x = 0; x < Side; x++)
                {
                    var column = section.GetColumn(x);
                    if (column is < 0 or > Side - 1) continue;
                    var value = ImageSection.Interpolate(image, row, column);
                    _values[_count] = value;
                    (_rows[_count], _columns[_count]) = ((byte)y, (byte)x);
                    _template[_count] = template[(y * Side) + x];
                    sum += value;
                    templateSum += _template[_count];
                    _count++;
                }
            }
            _mean = sum / Math.Max(_count, 1);
            _templateMean = templateSum / Math.Max(_count, 1);
            Correlate();
        }

        /// <summary>The change of the section that the template asks for; null where the image leaves it open.</summary>
        public double[]? Solve(ReadOnlySpan<float> image, ImageSection section)
        {
            var normal = new double[Unknowns, Unknowns + 1];
            Span<double> slopes = stackalloc double[Unknowns];
            for (var i = 0; i < _count; i++)
            {
                var (row, column) = (section.GetRow(_rows[i]), section.GetColumn(_columns[i]));
                slopes[1] = Slope(ImageSection.Interpolate(image, row - 1, column), ImageSection.Interpolate(image, row + 1, column));
                slopes[3] = Slope(ImageSection.Interpolate(image, row, column - 1), ImageSection.Interpolate(image, row, column + 1));
                slopes[0] = slopes[1] * (_rows[i] - ImageSection.Middle);
                slopes[2] = slopes[3] * (_columns[i] - ImageSection.Middle);
                slopes[4] = 1;
                var rest = (_gain * (_template[i] - _templateMean)) - (_values[i] - _mean);
                for (var a = 0; a < Unknowns; a++)
                {
                    for (var b = a; b < Unknowns; b++) normal[a, b] += slopes[a] * slopes[b];
                    normal[a, Unknowns] += slopes[a] * rest;
                }
            }
            var trace = 0.0;
            for (var a = 0; a < Unknowns; a++) trace += normal[a, a];
            for (var a = 0; a < Unknowns; a++)
            {
                for (var b = 0; b < a; b++) normal[a, b] = normal[b, a];
                normal[a, a] += Damping * trace / Unknowns;
            }
            return Eliminate(normal);
        }

        private static float Slope(float before, float after) => (after - before) / 2;

        private void Correlate()
        {
            var (both, own, templates) = (0.0, 0.0, 0.0);
            for (var i = 0; i < _count; i++)
            {
                var (value, template) = (_values[i] - _mean, _template[i] - _templateMean);
                both += value * template;
                own += value * value;
                templates += template * template;
            }
            var norms = Math.Sqrt(own * templates);
            Correlation = norms > 0 ? both / norms : 0;
            _gain = templates > 0 ? both / templates : 0;
        }

        /// <summary>Gaussian elimination; the damped matrix is positive definite, so that no rows change places.</summary>
        private static double[]? Eliminate(double[,] normal)
        {
            for (var pivot = 0; pivot < Unknowns; pivot++)
            {
                if (!(normal[pivot, pivot] > 0)) return null;
                for (var row = pivot + 1; row < Unknowns; row++)
                {
                    var factor = normal[row, pivot] / normal[pivot, pivot];
                    for (var column = pivot; column <= Unknowns; column++) normal[row, column] -= factor * normal[pivot, column];
                }
            }
            var solution = new double[Unknowns];
            for (var row = Unknowns - 1; row >= 0; row--)
            {
                var value = normal[row, Unknowns];
                for (var column = row + 1; column < Unknowns; column++) value -= normal[row, column] * solution[column];
                solution[row] = value / normal[row, row];
            }
            return solution;
        }
    }
}
